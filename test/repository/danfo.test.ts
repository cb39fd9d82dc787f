import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { concatFrames, fromDanfo, toDanfo } from "../../src/repository/danfo.js";

const orders = table({
  order: Int32Array.of(1, 2, 3),
  channel: ["web", null, "web"],
  amount: [10.5, null, 20],
});

describe("the bridge to danfojs", () => {
  it("carries a table there and back", async () => {
    const frame = await toDanfo(orders);
    expect(frame.shape).toEqual([3, 3]);
    expect(frame.columns).toEqual(["order", "channel", "amount"]);
    expect(fromDanfo(frame).objects()).toEqual(orders.objects());
  });

  it("leaves the table alone", async () => {
    const before = orders.objects();
    const frame = await toDanfo(orders);
    frame.sortValues("order", { ascending: false });
    expect(orders.objects()).toEqual(before);
  });

  it("gives what a teaching table needs: head, describe, groups", async () => {
    const frame = await toDanfo(table({ channel: ["web", "store", "web"], amount: [1, 2, 6] }));
    expect(frame.head(2).values).toEqual([
      ["web", 1],
      ["store", 2],
    ]);
    expect(frame.groupby(["channel"]).agg({ amount: "mean" }).values).toEqual([
      ["web", 3.5],
      ["store", 2],
    ]);
    expect(fromDanfo(frame.describe()).array("amount").slice(0, 2)).toEqual([3, 3]); // count, mean
  });

  it("stacks frames without changing them", async () => {
    const frame = await toDanfo(orders);
    const stacked = await concatFrames([frame, frame]);
    expect(fromDanfo(stacked).objects()).toEqual([...orders.objects(), ...orders.objects()]);
    expect(fromDanfo(frame).objects()).toEqual(orders.objects());
    const other = await toDanfo(table({ order: [1] }));
    await expect(concatFrames([frame, other])).rejects.toThrow(
      "frames must have the same columns, got order, channel, amount and order",
    );
    await expect(concatFrames([])).rejects.toThrow("there is no frame");
  });

  it("refuses what danfojs would take hours for", async () => {
    const big = table({ a: new Float64Array(50_001) });
    await expect(toDanfo(big)).rejects.toThrow("a danfojs frame takes at most 50000 rows, got 50001");
    await expect(toDanfo(table({}))).rejects.toThrow("needs at least one column");
  });
});

/** danfojs as far as the traps below go. Where one of these tests fails, danfojs was mended: simplify the bridge. */
interface RawFrame {
  readonly values: unknown[];
  readonly tensor: { arraySync(): number[][] };
  column(name: string): { readonly values: unknown[] };
  describe(): RawFrame;
  plot(target: string): unknown;
}
interface RawSeries {
  readonly values: unknown[];
  readonly dt: { month(): RawSeries };
  std(): number;
  mean(): number;
}
interface RawDanfo {
  DataFrame: new (columns: Record<string, unknown[]>) => RawFrame;
  Series: new (values: unknown[]) => RawSeries;
  concat(options: { dfList: RawFrame[]; axis: 0 | 1 }): RawFrame;
}

describe("known traps of danfojs 1.2.0", () => {
  const raw = async (): Promise<RawDanfo> => {
    const module: unknown = await import("danfojs-node");
    return (module as { default: RawDanfo }).default;
  };

  it("concat changes its first frame so that it cannot be read any more", async () => {
    const danfo = await raw();
    const first = new danfo.DataFrame({ k: [1, 2] });
    danfo.concat({ dfList: [first, new danfo.DataFrame({ k: [3] })], axis: 0 });
    expect(() => first.column("k")).toThrow(/IndexError/);
  });

  it("months count from 0", async () => {
    const { Series } = await raw();
    expect(new Series(["2024-01-15", "2024-12-01"]).dt.month().values).toEqual([0, 11]);
  });

  it("the standard deviation of one value is 0, also in a group, instead of missing", async () => {
    const { Series } = await raw();
    expect(new Series([5]).std()).toBe(0);
    const frame = await toDanfo(table({ channel: ["web"], amount: [5] }));
    expect(frame.groupby(["channel"]).agg({ amount: "std" }).values).toEqual([["web", 0]]);
  });

  it("describe has no mean for a column with a gap, though Series.mean skips it", async () => {
    const { DataFrame, Series } = await raw();
    const withGap = [1, Number.NaN, 3];
    expect(new DataFrame({ x: withGap }).describe().values[1]).toEqual([Number.NaN]);
    expect(new Series(withGap).mean()).toBe(2);
  });

  it("tensors are 32-bit: ids and cents change", async () => {
    const { DataFrame } = await raw();
    expect(new DataFrame({ id: [16_777_217, 0.1] }).tensor.arraySync()).toEqual([
      [16_777_216],
      [0.10000000149011612],
    ]);
  });

  it("plot is not there on Node", async () => {
    const { DataFrame } = await raw();
    expect(() => new DataFrame({ x: [1] }).plot("x")).toThrow("Not supported in NodeJS");
  });
});
