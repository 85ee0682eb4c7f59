/** Where archived periods stand: files below a folder, or objects of a bucket. */
export interface ArchivePlace {
  /** The paths of all files that end so, in their order. */
  list(ending: string): Promise<readonly string[]>;
  /** The bytes of a file, or null where there is none. */
  read(path: string): Promise<Buffer | null>;
  /** Writes a file that is not there yet. */
  write(path: string, bytes: Buffer): Promise<void>;
  close(): void;
}
