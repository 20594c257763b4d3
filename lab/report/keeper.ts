import { writeWhole, type FileContent } from "./atomicFile.ts";

/** Where what is seen of a lab is kept: a bundle, or any folder. */
export interface Keeper {
  /** Absolute path. */
  readonly folder: string;
  /** Keeps a file, whole or not at all. @throws Failure as writeWhole. */
  readonly save: (relativePath: string, content: FileContent) => Promise<void>;
}

/** Keeps things in a folder that is no run's bundle. */
export function folderKeeper(folder: string): Keeper {
  return { folder, save: (relativePath, content) => writeWhole(folder, relativePath, content) };
}
