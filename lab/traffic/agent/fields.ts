import { flowKinds, flowModes, type FlowOrder } from "./flow.ts";

/** A request that does not say what its method needs. */
export class BadRequest extends Error {
  readonly code = "EBADREQUEST";
}

/** The fields of a request, checked by hand: zod would be most of the agent's start-up on an emulated guest. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws BadRequest when `value` is no object. */
export function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new BadRequest("an object was expected");
  return value as Fields;
}

/** @throws BadRequest unless the field is a finite number from `least` on. */
export function numberField(fields: Fields, name: string, least = -Infinity): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < least) throw new BadRequest(`${name} must be a number from ${least} on`);
  return value;
}

/** @throws BadRequest unless the field is a whole number from `least` to `most`. */
export function integerField(fields: Fields, name: string, least: number, most: number): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new BadRequest(`${name} must be a whole number from ${least} to ${most}`);
  }
  return value;
}

/** @throws BadRequest unless the field is a string. */
export function stringField(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new BadRequest(`${name} must be a string`);
  return value;
}

/** @throws BadRequest unless the field is one of `allowed`. */
export function choiceField<T extends string>(fields: Fields, name: string, allowed: readonly T[]): T {
  const chosen = allowed.find((candidate) => candidate === fields[name]);
  if (chosen === undefined) throw new BadRequest(`${name} must be one of ${allowed.join(", ")}`);
  return chosen;
}

/** The flows to open, numbered from 0 without gaps. @throws BadRequest otherwise. */
export function flowOrdersField(fields: Fields, name: string): FlowOrder[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new BadRequest(`${name} must be a list`);
  return value.map((item: unknown, index) => {
    const order = fieldsOf(item);
    return {
      flow: integerField(order, "flow", index, index),
      kind: choiceField(order, "kind", flowKinds),
      mode: choiceField(order, "mode", flowModes),
      intervalMs: numberField(order, "intervalMs", 1),
      port: integerField(order, "port", 1, 65_535),
      ...(order["source"] !== undefined && { source: stringField(order, "source") }),
    };
  });
}
