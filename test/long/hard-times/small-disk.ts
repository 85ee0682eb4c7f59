import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A disk of few megabytes, in memory, which can be filled to its last byte. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Answers null where nobody may mount one here. */
  static async mount(megabytes: number): Promise<SmallDisk | null> {
    const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder]);
      return new SmallDisk(folder);
    } catch {
      await rm(folder, { recursive: true });
      return null;
    }
  }

  async at(name: string): Promise<string> {
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Fills it but for so many bytes. */
  async fill(butBytes = 0): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    const bytes = Math.max(0, bavail * bsize - butBytes);
    await writeFile(join(this.folder, 'ballast'), Buffer.alloc(bytes)).catch(() => {});
  }

  async empty(): Promise<void> {
    await rm(join(this.folder, 'ballast'), { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', ['-l', this.folder]).catch((error) => console.log(String(error)));
    await rm(this.folder, { recursive: true, force: true });
  }
}
