import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { exportIndex, indexEntry } from "../../../src/lab/export/index-page.js";
import { code, display, notebookOf, studyNotebook, text } from "./study.js";

const questionOf = (...sources: readonly string[]): string =>
  indexEntry(notebookOf(...sources.map((source) => text(source))), "a.html").question;

describe("the entry of a study", () => {
  it("holds number, title, question, decision, minutes and how far the data reach", () => {
    expect(indexEntry(studyNotebook(), "out/07-who-stays.html")).toEqual({
      number: "07",
      href: "out/07-who-stays.html",
      title: "Who stays?",
      question: "Some customers leave. Which of them are worth a call?",
      decision: "Call 632 customers for 3,160 EUR.",
      minutes: 50,
      until: "2025-12-31",
    });
  });

  it("takes the question from a heading or the first paragraph if none is marked", () => {
    expect(questionOf("# Title\n\n## Objectives\n\nYou can **count** customers. And more.")).toBe(
      "You can count customers.",
    );
    expect(questionOf("# Title\n\nWe count customers, `n` in all. And more.")).toBe(
      "We count customers, n in all.",
    );
  });

  it("leaves out what a notebook does not say", () => {
    const { title, question, decision, minutes, until } = indexEntry(notebookOf(code("1")), "a.html");
    expect([title, question, decision, minutes, until]).toEqual(["Notebook", "", "", undefined, undefined]);
  });

  it("reads values that were written for Markdown as they were meant", () => {
    const decision = display({ "text/markdown": "Serve B&amp;B \\*now\\*." });
    expect(indexEntry(notebookOf(text("## Decision"), code("", [decision])), "a.html").decision).toBe(
      "Serve B&B *now*.",
    );
  });
});

describe("the index", () => {
  it("links every study and escapes what they say", () => {
    const entry = {
      ...indexEntry(studyNotebook(), "01-a b.html"),
      title: "<script>x</script>",
      decision: "<img src=x>",
    };
    const html = exportIndex([entry, indexEntry(studyNotebook(), "02-b.html")]);
    const page = new JSDOM(html).window.document;
    const links = Array.from(page.querySelectorAll("li a"), (link) => [
      link.getAttribute("href"),
      link.textContent,
    ]);
    expect(links).toEqual([
      ["01-a%20b.html", "<script>x</script>"],
      ["02-b.html", "Who stays?"],
    ]);
    expect(page.querySelectorAll("script, img").length).toBe(0);
    expect(page.querySelector("li")?.textContent).toContain("50 minutes · data until 2025-12-31");
  });

  it("says so if there are no studies", () => {
    expect(exportIndex([])).toContain("There are no studies yet.");
  });
});
