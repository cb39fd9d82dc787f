import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type CheckSpec, check } from "../../src/index.js";

const retention: CheckSpec<number> = {
  expected: 0.957,
  within: 0.005,
  hint: "Which function takes parameters and a year?",
  mistakes: [{ value: 0.043, hint: "That is the churn rate: retention is 1 minus it." }],
};

const outcomeOf = <Value>(answer: Value | undefined, spec: CheckSpec<Value>): string =>
  check(answer, spec).outcome;

describe("check", () => {
  it("knows three outcomes", () => {
    expect(check<number>(undefined, retention)).toEqual({
      outcome: "not tried",
      message: "give your answer a value in the cell above, then run this one again",
    });
    expect(check(0.9571, retention)).toEqual({ outcome: "right", message: "0.9571 (number)" });
    expect(check(0.85, retention)).toEqual({
      outcome: "not yet",
      message: "got 0.85 (number). Which function takes parameters and a year?",
    });
  });

  it("recognises a plausible mistake and says what it is", () => {
    expect(check(0.0431, retention).message).toBe(
      "got 0.0431 (number). That is the churn rate: retention is 1 minus it.",
    );
  });

  it("compares numbers by the tolerance given, and almost exactly without one", () => {
    const spec = { expected: 1000, hint: "" };
    expect(outcomeOf(1000.4, { ...spec, within: { absolute: 0.5 } })).toBe("right");
    expect(outcomeOf(1000.6, { ...spec, within: { absolute: 0.5 } })).toBe("not yet");
    expect(outcomeOf(1009, { ...spec, within: { relative: 0.01 } })).toBe("right");
    expect(outcomeOf(1011, { ...spec, within: { relative: 0.01 } })).toBe("not yet");
    expect(outcomeOf(1000.0001, spec)).toBe("not yet");
    expect(outcomeOf(0.1 + 0.2, { expected: 0.3, hint: "" })).toBe("right");
    expect(outcomeOf(Number.NaN, { ...spec, within: 1 })).toBe("not yet");
    expect(() => check(1, { expected: 1, within: -1, hint: "" })).toThrow(
      new RangeError("within must be a number of at least 0, got -1"),
    );
    expect(() => check(1, { expected: 1, within: { relative: Number.NaN }, hint: "" })).toThrow(RangeError);
  });

  it("compares texts, lists, sets and records", () => {
    expect(outcomeOf(" Loyal ", { expected: "Loyal", hint: "" })).toBe("right");
    expect(outcomeOf("loyal", { expected: "Loyal", hint: "" })).toBe("not yet");
    expect(outcomeOf(["a", "b"], { expected: ["b", "a"], hint: "" })).toBe("not yet");
    expect(outcomeOf(["a", "b"], { expected: ["b", "a"], anyOrder: true, hint: "" })).toBe("right");
    expect(outcomeOf(["a", "a"], { expected: ["a", "b"], anyOrder: true, hint: "" })).toBe("not yet");
    expect(outcomeOf(new Set([1, 2]), { expected: new Set([2, 1]), hint: "" })).toBe("right");
    expect(outcomeOf<unknown>([1, 2], { expected: new Set([1, 2]), hint: "" })).toBe("not yet");
    expect(
      outcomeOf<ArrayLike<number>>(Float64Array.of(1, 2.001), { expected: [1, 2], within: 0.01, hint: "" }),
    ).toBe("right");
    expect(outcomeOf({ a: 1, b: [2] }, { expected: { a: 1, b: [2] }, hint: "" })).toBe("right");
    expect(outcomeOf<object>({ a: 1 }, { expected: { a: 1, b: 2 }, hint: "" })).toBe("not yet");
  });

  it("takes a test instead of a value, also for mistakes", () => {
    const even: CheckSpec<number> = {
      expected: (n) => n % 2 === 0,
      hint: "even",
      mistakes: [{ value: (n) => n < 0, hint: "negative" }],
    };
    expect(outcomeOf(4, even)).toBe("right");
    expect(check(-3, even).message).toBe("got -3 (number). negative");
    const broken: CheckSpec<unknown> = {
      expected: (rows: unknown) => (rows as unknown[]).every(Boolean),
      hint: "rows",
    };
    expect(outcomeOf<unknown>(7, broken)).toBe("not yet");
  });

  it("names the value and its kind, and a forgotten await", () => {
    const hint = "Look again.";
    expect(check<unknown>("x".repeat(100), { expected: 1, hint }).message).toMatch(
      /^got "x{79}…" \(text\)\. Look again\.$/,
    );
    expect(check<unknown>([1, 2, 3, 4, 5, 6], { expected: 1, hint }).message).toBe(
      "got [1, 2, 3, 4, 5, …] (array of 6). Look again.",
    );
    expect(check<unknown>([1 / 3], { expected: 1, hint }).message).toBe(
      "got [0.333333] (array of 1). Look again.",
    );
    expect(check<unknown>(null, { expected: 1, hint }).message).toBe("got null. Look again.");
    expect(check<unknown>({ a: 1 }, { expected: 1, hint }).message).toBe("got {a} (object). Look again.");
    expect(check<unknown>(Promise.resolve(1), { expected: 1, hint }).message).toBe(
      "got a Promise: write await before the call",
    );
  });

  it("looks like something in a notebook, and like one line elsewhere", () => {
    const result = check(0.85, { ...retention, hint: "not <b>this</b>" });
    expect(inspect(result)).toBe("✗ Not yet: got 0.85 (number). not <b>this</b>");
    expect(result.bundle["text/html"]).toContain("not &lt;b&gt;this&lt;/b&gt;");
    expect(result.bundle["application/vnd.clientele.check+json"]).toEqual({ outcome: "not yet" });
    expect(JSON.parse(JSON.stringify(result))).toEqual({ outcome: "not yet", message: result.message });
    expect(Object.isFrozen(result)).toBe(true);
  });
});
