import { exitCode, Failure } from "../failure/failure.ts";

const defaultLimitBytes = 4 * 1024 ** 3;
const unitBytes = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/**
 * How much disk all snapshots together may take, in bytes: `FWLAB_SNAPSHOT_LIMIT` as plain bytes or with K, M, G or T for powers of
 * 1024 ("700M"); 4 GiB when it is not set.
 * @throws Failure (usage) for anything else.
 */
export function snapshotLimitBytes({ FWLAB_SNAPSHOT_LIMIT: text }: NodeJS.ProcessEnv = process.env): number {
  if (text === undefined || text === "") {
    return defaultLimitBytes;
  }
  const { number, unit = "" } = /^(?<number>\d+)(?<unit>[KMGT]?)$/u.exec(text)?.groups ?? {};
  const bytes = isUnit(unit) ? Number(number) * unitBytes[unit] : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new Failure({
      tried: "read FWLAB_SNAPSHOT_LIMIT",
      seen: `${JSON.stringify(text)} is no size`,
      remedy: "Give whole bytes, or a whole number with K, M, G or T: FWLAB_SNAPSHOT_LIMIT=4G.",
      exit: exitCode.usage,
    });
  }
  return bytes;
}

function isUnit(text: string): text is keyof typeof unitBytes {
  return Object.hasOwn(unitBytes, text);
}
