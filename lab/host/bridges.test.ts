import { expect, test } from "vitest";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { createBridges } from "./bridges.ts";
import { insideNamespaces } from "./namespaces.ts";

// The unit tests may run in a lab's namespaces too (npm test), where bridges may be made: then there is nothing to refuse.
test.skipIf(insideNamespaces())("no bridge is made in the host's own network", async () => {
  await expect(createBridges(primaryBackup)).rejects.toMatchObject({ seen: expect.stringContaining("the host's own network") as string });
});
