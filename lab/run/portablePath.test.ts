import { expect, test } from "vitest";
import { portablePath } from "./portablePath.ts";

test.each([
  ["/repo/fixtures/x", "fixtures/x"],
  ["/repo", "."],
  ["/repo/..tree", "..tree"],
  ["/home/me/tree", "tree"],
  ["/repository/x", "/repository/x"],
  ["/elsewhere/tree", "/elsewhere/tree"],
])("%s is told as %s", (path, told) => expect(portablePath(path, ["/repo/", "/home/me"])).toBe(told));
