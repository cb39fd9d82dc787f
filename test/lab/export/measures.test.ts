import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { ownBox, pageBox, textLength } from "../../../src/lab/export/svg-boxes.js";
import { pathLength, pointAlong } from "../../../src/lab/export/svg-path.js";
import { isExactWidth, textWidth } from "../../../src/lab/export/text-width.js";

const element = (markup: string): Element => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg">${markup}</svg>`;
  const found = new JSDOM(svg, { contentType: "image/svg+xml" }).window.document.querySelector("[id=it]");
  if (!found) throw new Error("the markup needs an element with the id it");
  return found;
};

describe("text widths", () => {
  it("agree with the metrics of Helvetica", () => {
    // Adobe Font Metrics, Helvetica: C 722, u 556, s 500, t 278, o 556, m 833, e 556, r 333.
    expect(textWidth("Customer", { size: 1000 })).toBe(722 + 556 + 500 + 278 + 556 + 833 + 556 + 333);
    expect(textWidth("é", { size: 10 })).toBe(textWidth("e", { size: 10 }));
    expect(textWidth("ab", { size: 10, bold: true })).toBeGreaterThan(textWidth("ab", { size: 10 }));
  });

  it("are known to be estimates for other scripts", () => {
    expect(isExactWidth("Größe 12 % – naïve")).toBe(true);
    expect(isExactWidth("顧客")).toBe(false);
    expect(textWidth("顧客", { size: 10 })).toBe(20);
  });
});

describe("boxes", () => {
  it("of a text depend on its anchor, its lines and its size", () => {
    const text = element('<text id="it" x="100" y="50" text-anchor="end" style="font-size: 10px">mm</text>');
    const box = ownBox(text);
    expect(box?.right).toBe(100);
    expect(box?.left).toBeCloseTo(100 - 16.66, 10);
    const lines = element(
      '<text id="it" style="font-size: 10px"><tspan class="line" x="0" y="0" dy="0em">a</tspan><tspan class="line" x="0" y="0" dy="1.3em">mmm</tspan></text>',
    );
    expect(textLength(lines)).toBeCloseTo(24.99, 10);
    expect((ownBox(lines)?.bottom ?? 0) - (ownBox(lines)?.top ?? 0)).toBeCloseTo(13 + 11.17, 10);
  });

  it("of a part on the page go through all transforms", () => {
    const rect = element(
      '<g transform="translate(10,20)"><g transform="rotate(90)"><rect id="it" width="4" height="2"/></g></g>',
    );
    const { left, top, right, bottom } = pageBox(rect);
    expect([left, top, right, bottom].map((value) => Number(value.toFixed(9)))).toEqual([8, 20, 10, 24]);
  });

  it("do not count what is not drawn", () => {
    const group = element(
      '<g id="it"><clipPath><rect width="900" height="900"/></clipPath><rect width="3" height="3"/></g>',
    );
    expect(ownBox(group)).toEqual({ left: 0, top: 0, right: 3, bottom: 3 });
  });
});

describe("paths", () => {
  it.each([
    ["M0,0H3V4", 7],
    ["m1 1 l3 4", 5],
    ["M0,0L3,4Z", 10],
    ["M0,0C0,0 3,4 3,4", 5],
    ["M5,0A5,5 0 1,1 -5,0A5,5 0 0,1 5,0Z", 10 * Math.PI],
  ])("%s is as long as it should be", (d, length) => {
    expect(Math.abs(pathLength(d) - length) / length).toBeLessThan(2e-3);
  });

  it("give the point after some length, and their ends beyond it", () => {
    expect(pointAlong("M0,0H3V4", 5)).toEqual([3, 2]);
    expect(pointAlong("M0,0H3V4", 99)).toEqual([3, 4]);
    expect(pointAlong("M0,0H3V4", -1)).toEqual([0, 0]);
  });
});
