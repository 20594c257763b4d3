/** Writes the report of a run or of trials, and gives its path. What draws it takes a second to load, so that is done where it draws. @throws as writeReport. */
export async function writtenReport(folder: string): Promise<string> {
  const { writeReport } = await import("../lab/report/writeReport.ts");
  return writeReport(folder);
}
