import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/**
 * One append-only file of events, a JSON line each. It counts the events of it that the queue has
 * not confirmed, and goes when it is finished and all are.
 */
export class Segment {
  #path: string;
  /** It is null once it is finished, or when an earlier process wrote it. */
  #fd: number | null;
  /** The bytes are those of whole lines. */
  #bytes: number;
  #unconfirmed = 0;
  #isDirty = false;
  /** The file ends in part of a line that could not be taken back. */
  #isTorn = false;

  private constructor(path: string, fd: number | null, bytes: number) {
    this.#path = path;
    this.#fd = fd;
    this.#bytes = bytes;
  }

  /** Throws where the folder takes no new file. */
  static create(path: string): Segment {
    return new Segment(path, openSync(path, 'ax', 0o600), 0);
  }

  /** What an earlier process left. */
  static adopt(path: string, bytes: number): Segment {
    return new Segment(path, null, bytes);
  }

  get path(): string {
    return this.#path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOpen(): boolean {
    return this.#fd !== null;
  }

  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  /**
   * Hands one line to the operating system: from here a kill of the process loses nothing. Throws when
   * the disk does not take all of it, and then leaves no part of it behind.
   */
  append(json: string): void {
    const fd = this.#fd;
    if (fd === null) throw new Error('a finished segment takes nothing more');
    const line = `${this.#isTorn ? '\n' : ''}${json}\n`;
    try {
      let written = writeSync(fd, line, null, 'latin1');
      while (written < line.length) {
        written += writeSync(fd, line.slice(written), null, 'latin1');
      }
      this.#isTorn = false;
    } catch (error) {
      this.#takeBack(fd);
      throw error;
    }
    this.#bytes += line.length;
    this.#unconfirmed += 1;
    this.#isDirty = true;
  }

  /** Part of a line may stand at the end; glued to the next one it would spoil that. */
  #takeBack(fd: number): void {
    this.#isTorn = true;
    try {
      ftruncateSync(fd, this.#bytes);
      this.#isTorn = false;
    } catch {
      // The next line begins on a line of its own.
    }
  }

  /** Waits until the disk has it: from here a power cut loses nothing either. */
  syncNow(): void {
    if (this.#fd === null || !this.#isDirty) return;
    fdatasyncSync(this.#fd);
    this.#isDirty = false;
  }

  sync(onFault: (error: Error) => void): void {
    if (this.#fd === null || !this.#isDirty) return;
    this.#isDirty = false;
    fdatasync(this.#fd, (error) => {
      if (error !== null) onFault(error);
    });
  }

  /** An adopted file's lines are counted when it is read. */
  expect(events: number): void {
    this.#unconfirmed = events;
  }

  /** Answers whether the file is gone: finished, and no event of it waits any more. */
  confirm(): boolean {
    this.#unconfirmed -= 1;
    if (this.#unconfirmed > 0) return false;
    if (this.#fd === null) {
      unlinkSync(this.#path);
      return true;
    }
    ftruncateSync(this.#fd, 0);
    this.#bytes = 0;
    return false;
  }

  /** Takes nothing more. Answers whether the file is gone, because nothing of it waits. */
  finish(onFault: (error: Error) => void): boolean {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null && this.#unconfirmed > 0 && this.#isDirty) {
      fdatasync(fd, (error) => {
        closeSync(fd);
        if (error !== null) onFault(error);
      });
    } else if (fd !== null) {
      closeSync(fd);
    }
    if (this.#unconfirmed > 0) return false;
    unlinkSync(this.#path);
    return true;
  }

  rename(path: string): void {
    renameSync(this.#path, path);
    this.#path = path;
  }
}
