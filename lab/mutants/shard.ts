/** One of several parts that hold everything together, and nothing twice. */
export interface Shard {
  /** From 1. */
  readonly part: number;
  readonly of: number;
}

/** Every n-th of a list, so that what stands together, and takes equally long, is spread. */
export function shardOf<T>(items: readonly T[], { part, of }: Shard): T[] {
  return items.filter((_, index) => index % of === part - 1);
}
