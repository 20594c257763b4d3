import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCode } from "../failure/failure.ts";
import { askLab, type Asked } from "./askLab.ts";
import { Conversation } from "./conversation.ts";
import { placeOf, type LabPlace } from "./place.ts";

const request = { verb: "console", machine: "fw-1", follow: true, keys: true } as const;

describe("a question to a lab that stands", () => {
  let cache: string;
  let place: LabPlace;
  const server = createServer();
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "fwlab-ask-"));
    place = placeOf("asked", cache);
    await mkdir(place.folder, { recursive: true });
    server.listen(place.socket);
    await once(server, "listening");
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(cache, { recursive: true, force: true });
  });

  const ask = async (): Promise<{ readonly asked: Asked; readonly conversation: Conversation }> => {
    const [asked, [socket]] = (await Promise.all([askLab(place, request), once(server, "connection")])) as [Asked, [Socket]];
    const conversation = new Conversation(socket);
    expect(await conversation.request()).toEqual(request);
    return { asked, conversation };
  };

  test("ends with the lab's last word", async () => {
    const { asked, conversation } = await ask();
    await conversation.end({ ended: 7 });
    expect(await asked.ended).toBe(7);
  });

  test("ends where who asked hangs up, and the lab hears no more", async () => {
    const { asked, conversation } = await ask();
    asked.say({ inEnd: true });
    const heard = conversation.said();
    expect((await heard.next()).value).toEqual({ inEnd: true });
    asked.hangUp();
    expect(await asked.ended).toBe(exitCode.pass);
    expect((await heard.next()).done).toBe(true);
    await expect.poll(() => conversation.gone.aborted).toBe(true);
  }, 5_000);

  test("fails where the lab is gone without a last word", async () => {
    const [asked, [socket]] = (await Promise.all([askLab(place, request), once(server, "connection")])) as [Asked, [Socket]];
    const failed = expect(asked.ended).rejects.toThrow(/it ended before it answered/u);
    socket.destroy();
    await failed;
  }, 5_000);
});
