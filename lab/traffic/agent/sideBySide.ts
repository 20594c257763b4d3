/**
 * Begins work on every item in order, at most `most` at a time: the next one begins when `begin` says, by its second argument and
 * exactly once, that an item is settled.
 */
export function sideBySide<T>(items: readonly T[], most: number, begin: (item: T, onSettled: () => void) => void): void {
  const waiting = [...items];
  const next = (): void => {
    const item = waiting.shift();
    if (item !== undefined) begin(item, next);
  };
  for (let started = 0; started < most; started += 1) next();
}
