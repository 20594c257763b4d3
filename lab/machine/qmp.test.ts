import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { Qmp } from "./qmp.ts";

/** As QEMU 7.2 begins and answers; recorded. */
const greeting = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2+dfsg-7+deb12u18+b3"}, "capabilities": ["oob"]}}\r\n';
const stopEvent = '{"timestamp": {"seconds": 1795190000, "microseconds": 123456}, "event": "STOP"}\r\n';

interface Command {
  readonly execute: string;
  readonly id: number;
}

/** The other end of the protocol: answers each command by `answer`. */
function stubbornQemu(answer: (command: Command) => string): { input: PassThrough; output: PassThrough } {
  const input = new PassThrough();
  const output = new PassThrough();
  input.write(greeting);
  output.on("data", (line: Buffer) => input.write(answer(JSON.parse(line.toString()) as Command)));
  return { input, output };
}

describe("QMP", () => {
  test("commands are answered by their numbers, events between them do not matter", async () => {
    const { input, output } = stubbornQemu(({ execute, id }) => `${stopEvent}{"return": {"did": "${execute}"}, "id": ${id}}\r\n`);
    const qmp = await Qmp.connect("fw-1", input, output);
    expect(await Promise.all([qmp.execute("stop"), qmp.execute("cont")])).toEqual([{ did: "stop" }, { did: "cont" }]);
  });

  test("a refusal names command, machine and QEMU's reason", async () => {
    const { input, output } = stubbornQemu(({ execute, id }) =>
      execute === "qmp_capabilities"
        ? `{"return": {}, "id": ${id}}\r\n`
        : `{"id": ${id}, "error": {"class": "CommandNotFound", "desc": "The command ${execute} has not been found"}}\r\n`,
    );
    const qmp = await Qmp.connect("fw-1", input, output);
    await expect(qmp.execute("jump")).rejects.toThrow(/QMP jump on fw-1: QEMU answered CommandNotFound: The command jump has not been found/u);
  });

  test("what waits fails when QEMU ends, and so does what comes later", async () => {
    const { input, output } = stubbornQemu(({ execute, id }) => (execute === "qmp_capabilities" ? `{"return": {}, "id": ${id}}\r\n` : ""));
    const qmp = await Qmp.connect("fw-1", input, output);
    const waiting = qmp.execute("stop");
    input.end();
    await expect(waiting).rejects.toThrow(/QEMU ended before it answered/u);
    await expect(qmp.execute("cont")).rejects.toThrow(Failure);
  });

  test("what is no QMP fails what waits, and quotes it", async () => {
    const input = new PassThrough();
    const connecting = Qmp.connect("fw-1", input, new PassThrough());
    input.write("qemu: hello\n");
    await expect(connecting).rejects.toThrow(/what is not QMP: qemu: hello/u);
  });
});
