import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { open } from "../../src/repository/duckdb.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { generateCompany, generateCustomers, writeSample } from "../../src/samples/company.js";
import {
  loadCompany,
  loadSurvey,
  loadSurveyTruth,
  loadTruth,
  type SurveyReports,
} from "../../src/samples/load.js";
import { brenkamp } from "../../src/samples/parameters.js";
import { benefitSegmentChances, surveyQuestions, utilityColumns } from "../../src/samples/survey.js";
import { codeProfiles, defineAttributes } from "../../src/tradeoff/attributes.js";
import { type ConditionalLogitFit, fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import type { SurveyDesign } from "../../src/tradeoff/design.js";
import {
  checkFieldwork,
  choicesFromAnswers,
  type FieldworkCheck,
  keepRespondents,
  type SurveyAnswers,
} from "../../src/tradeoff/fieldwork.js";
import { fitMaxDiff } from "../../src/tradeoff/max-diff.js";
import { designFromQuestionnaire } from "../../src/tradeoff/questionnaire.js";
import { fitRatingsConjoint } from "../../src/tradeoff/ratings-conjoint.js";
import { scratchFolder } from "../repository/scratch.js";

type Row = Readonly<Record<string, string | number>>;
type Texts = Readonly<Record<string, string>>;

const { folder, file } = scratchFolder();
const readme = readFileSync("data/brenkamp/README.md", "utf8");
const { survey } = brenkamp;
const segments = survey.segments.map(({ name }) => name);
const statements = survey.statements.map(({ name }) => name);
const holdouts = survey.holdouts.map(({ task }) => task);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const tableRow = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const estimated = (estimate: number, error: number): string => `${estimate.toFixed(3)} (${error.toFixed(3)})`;

/** The attributes as a study declares them. */
const attributes = defineAttributes(
  [
    ...survey.attributes,
    { name: "price", levels: [9.9, 14.9, 19.9, 24.9, 29.9], as: "piecewise", breakpoints: [19.9] },
  ],
  { none: true },
);

/** Values of a column that must be numbers. */
const numbers = (rows: readonly Row[], name: string): number[] => rows.map((row) => Number(row[name]));
const labels = (rows: readonly Row[], name: string): string[] => rows.map((row) => String(row[name]));

const answersOf = (rows: readonly Row[]): SurveyAnswers => ({
  respondent: labels(rows, "customer_id"),
  version: numbers(rows, "version"),
  task: numbers(rows, "task"),
  choice: numbers(rows, "choice"),
  seconds: numbers(rows, "seconds"),
});

describe("the survey of the shipped data", () => {
  let warehouse: Warehouse;
  let reports: SurveyReports;
  let design: SurveyDesign;
  let choices: Row[];
  let truth: Map<unknown, Row>;
  let check: FieldworkCheck;
  const { planted: p, surveyedSegments, tables } = generateCompany();
  const rows = async (sql: string): Promise<Row[]> => (await warehouse.query(sql)).objects() as Row[];
  const segmentOf = (id: unknown): unknown => truth.get(id)?.["benefit_segment"];

  beforeAll(async () => {
    warehouse = await open(":memory:");
    reports = await loadCompany(warehouse, "data/brenkamp");
    expect(await loadSurveyTruth(warehouse, "data/brenkamp")).toMatchObject({ rejected: 0 });
    design = designFromQuestionnaire(attributes, await warehouse.query("SELECT * FROM survey_profiles"));
    choices = await rows(`
      SELECT choice.*, respondent.version FROM survey_choices AS choice
      JOIN survey_respondents AS respondent ON respondent.customer_id = choice.customer_id
      ORDER BY choice.customer_id, choice.task`);
    truth = new Map((await rows("SELECT * FROM survey_truth")).map((row) => [row["customer_id"], row]));
    check = checkFieldwork(design, answersOf(choices));
  });
  afterAll(() => warehouse.close());

  it("loses exactly the planted rows, each to its rule", () => {
    const rejected = Object.values(reports).flatMap((report) =>
      report.table.startsWith("survey_")
        ? report.rules
            .filter((rule) => rule.rejected > 0)
            .map((rule) => [report.table, rule.column, rule.rejected])
        : [],
    );
    expect(rejected).toEqual([
      ["survey_choices", "choice", p.unknown_alternative],
      ["survey_choices", "", p.task_answered_twice],
      ["survey_ratings", "rating", p.rating_above_scale],
      ["survey_bestworst", "worst", p.unknown_statement],
    ]);
    const people = truth.size;
    expect(reports.survey_choices.accepted).toBe(12 * people - p.missing_task);
    expect(reports.survey_bestworst.accepted).toBe(10 * people);
    expect(reports.survey_ratings.accepted % 18).toBe(0);
    const { survey_choices: c, survey_ratings: r, survey_bestworst: b } = reports;
    expect(readme.replaceAll("\n", " ")).toContain(
      `${c.rejected} of the ${c.rows} choices, ${r.rejected} of the ${r.rows} ratings and ${b.rejected} of the ${b.rows} best-worst answers are rejected; ${c.accepted} choices, ${r.accepted} ratings and ${b.accepted} best-worst answers remain`,
    );
  });

  it("shows speeders, straight-liners and missing tasks to the checks of the fieldwork, and nobody else", () => {
    expect(check.counts).toMatchObject({
      speeder: p.speeder,
      "straight-liner": p.straight_liner,
      "missing tasks": p.missing_task,
      "always none": 0,
    });
    for (const { respondent, reason } of check.odd)
      expect(truth.get(respondent)?.["manner"]).toBe(
        reason === "missing tasks" ? "careful" : reason.replace("-", "_"),
      );
    expect([p.speeder, p.straight_liner, p.missing_task]).toEqual([6, 6, 6]);
    expect(check.medianSeconds).toBeGreaterThan(150);
    expect(check.medianSeconds).toBeLessThan(200);
  });

  it("asks the same holdout tasks in every version, and all else of each attribute equally often", () => {
    expect(design).toMatchObject({ versions: 6, tasks: 12, alternatives: 3 });
    const size = attributes.attributes.length;
    const places = (version: number, task: number): readonly number[] => {
      const from = (version * 12 + task) * 3 * size;
      return design.levels.slice(from, from + 3 * size);
    };
    const uses = attributes.attributes.map(({ levels }) => levels.map(() => 0));
    for (let version = 0; version < 6; version++) {
      for (let task = 0; task < 12; task++) {
        const shown = places(version, task);
        if (holdouts.includes(task + 1)) {
          expect(shown).toEqual(places(0, task));
          continue;
        }
        for (const [k, { levels }] of attributes.attributes.entries()) {
          const own = [0, 1, 2].map((product) => shown[product * size + k] as number);
          expect(new Set(own).size).toBe(Math.min(levels.length, 3));
          for (const level of own) (uses[k] as number[])[level] = (uses[k]?.[level] as number) + 1;
        }
      }
    }
    expect(uses).toEqual([
      [60, 60, 60],
      [60, 60, 60],
      [60, 60, 60],
      [90, 90],
      [90, 90],
      [36, 36, 36, 36, 36],
    ]);
  });

  it("has cards in which all attributes are uncorrelated", async () => {
    const cards = await rows("SELECT * FROM survey_cards ORDER BY card");
    expect(cards).toHaveLength(18);
    for (const { name: one } of attributes.attributes) {
      for (const { name: other } of attributes.attributes) {
        if (one === other) continue;
        for (const a of new Set(labels(cards, one))) {
          for (const b of new Set(labels(cards, other))) {
            const [isA, isB] = [
              cards.filter((card) => String(card[one]) === a),
              (card: Row) => String(card[other]) === b,
            ];
            expect(18 * isA.filter(isB).length).toBe(isA.length * cards.filter(isB).length);
          }
        }
      }
    }
  });

  it("shows every statement four times, once in each place, and with each other one once or twice", async () => {
    const sets = await rows('SELECT * FROM survey_bestworst_sets ORDER BY "set"');
    const items = ["item_1", "item_2", "item_3", "item_4"];
    for (const item of items) expect(labels(sets, item).sort()).toEqual([...statements].sort());
    for (const one of statements) {
      const own = sets.filter((set) => items.some((item) => set[item] === one));
      expect(own).toHaveLength(4);
      for (const other of statements) {
        if (other === one) continue;
        const together = own.filter((set) => items.some((item) => set[item] === other)).length;
        expect([1, 2]).toContain(together);
      }
    }
  });

  it("names the utilities of the truth as the models name their coefficients", () => {
    const columns = Object.keys(codeProfiles(attributes, ["none"]));
    expect(utilityColumns(survey)).toEqual(columns);
    for (const { partWorths, statements: own } of survey.segments) {
      expect(Object.keys(partWorths)).toEqual(columns);
      expect(Object.keys(own)).toEqual(statements.slice(0, -1));
    }
    expect(Object.keys(tables.survey_truth)).toEqual([
      "customer_id",
      "benefit_segment",
      "manner",
      ...columns,
      ...statements.slice(0, -1),
    ]);
  });

  it("gives the part-worths of each benefit segment back to a conditional logit, as the README says", () => {
    const kept = keepRespondents(answersOf(choices), check, { reasons: ["speeder", "straight-liner"] });
    const { rows: sets, attributes: columns } = choicesFromAnswers(design, kept, { without: holdouts });
    const fits = segments.map((segment): ConditionalLogitFit => {
      const own = Array.from(sets.set, (_, row) => row).filter(
        (row) => segmentOf(sets.respondent?.[row]) === segment,
      );
      const pick = <Value>(values: ArrayLike<Value> | undefined): Value[] =>
        own.map((row) => values?.[row] as Value);
      return fitConditionalLogit(
        { set: pick(sets.set), chosen: pick(sets.chosen), respondent: pick(sets.respondent) },
        Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, pick(values)])),
      );
    });
    for (const name of utilityColumns(survey)) {
      const cells = survey.segments.flatMap(({ partWorths }, k) => {
        const [estimate = Number.NaN, error = Number.NaN] = [
          fits[k]?.coefficients[name],
          fits[k]?.standardErrors[name],
        ];
        expect(Math.abs(estimate - (partWorths[name] as number)) / error, name).toBeLessThan(3.1);
        return [partWorths[name] as number, estimated(estimate, error)];
      });
      expect(readme).toContain(tableRow([name, ...cells]));
    }
    for (const [k, { segment, careful }] of surveyedSegments.entries())
      expect(fits[k]?.respondents, segment).toBe(careful);
  });

  it("states what the mean respondent of a segment would pay", () => {
    for (const name of utilityColumns(survey).slice(0, -3)) {
      const worth = survey.segments.map(({ partWorths }) =>
        (-(partWorths[name] as number) / (partWorths["price to 19.9"] as number)).toFixed(2),
      );
      expect(readme).toContain(tableRow([name, ...worth]));
    }
  });

  it("gives the utilities of the statements back to a best-worst model, as the README says", async () => {
    const answers = await rows(`
      SELECT answer.*, question.* EXCLUDE ("set", source_line) FROM survey_bestworst AS answer
      JOIN survey_bestworst_sets AS question ON question."set" = answer."set" ORDER BY answer.customer_id, answer."set"`);
    const fits = segments.map((segment) => {
      const own = answers.filter(
        ({ customer_id: id }) => segmentOf(id) === segment && truth.get(id)?.["manner"] === "careful",
      );
      return fitMaxDiff(
        {
          respondent: labels(own, "customer_id"),
          items: [1, 2, 3, 4].map((place) => labels(own, `item_${place}`)),
          best: labels(own, "best"),
          worst: labels(own, "worst"),
        },
        { items: statements },
      );
    });
    for (const name of statements.slice(0, -1)) {
      const cells = survey.segments.flatMap((segment, k) => {
        const [estimate = Number.NaN, error = Number.NaN] = [
          fits[k]?.utilities[name],
          fits[k]?.logit.standardErrors[name],
        ];
        const mean = segment.statements[name] as number;
        expect(Math.abs(estimate - mean) / error, name).toBeLessThan(3);
        return [mean, estimated(estimate, error)];
      });
      expect(readme).toContain(tableRow([name, ...cells]));
    }
  });

  it("gives the part-worths back to a regression of the ratings, on their scale", async () => {
    const ratings = await rows(`
      SELECT answer.customer_id, answer.rating, card.* FROM survey_ratings AS answer
      JOIN survey_cards AS card ON card.card = answer.card ORDER BY answer.customer_id, card.card`);
    for (const { name: segment, partWorths } of survey.segments) {
      const own = ratings.filter(
        ({ customer_id: id }) => segmentOf(id) === segment && truth.get(id)?.["manner"] === "careful",
      );
      const { none: _, ...columns } = codeProfiles(attributes, own);
      const { pooled, respondents } = fitRatingsConjoint(
        { respondent: labels(own, "customer_id"), rating: numbers(own, "rating") },
        columns,
      );
      expect(respondents).toHaveLength(own.length / 18);
      for (const [name, error] of Object.entries(pooled.standardErrors)) {
        if (name === "intercept") continue;
        const expected = survey.rating.perUtility * (partWorths[name] as number);
        expect(Math.abs((pooled.coefficients[name] as number) - expected) / error, name).toBeLessThan(3);
      }
      const lowest = own.filter((row) => row["rating"] === 0).length / own.length;
      if (segment === "price-minded") expect(lowest).toBeCloseTo(0.08, 2);
      else expect(lowest).toBeLessThan(0.02);
    }
  });

  it("has respondents of every segment, with the chances that the README says", async () => {
    await loadTruth(warehouse, "data/brenkamp");
    const persons = await rows("SELECT acquisition_channel, mean_budget_cents FROM truth");
    const chances = persons.map((row) =>
      benefitSegmentChances(
        survey,
        String(row["acquisition_channel"]),
        Number(row["mean_budget_cents"]) / 100,
      ),
    );
    for (const [k, { segment, respondents, careful }] of surveyedSegments.entries()) {
      const { channelWeights, budgetExponent } = survey.segments[k] as (typeof survey.segments)[number];
      const share = sum(chances.map((own) => own[k] as number)) / persons.length;
      expect(readme).toContain(
        tableRow([
          segment,
          ...Object.values(channelWeights),
          budgetExponent,
          share.toFixed(3),
          respondents,
          careful,
        ]),
      );
    }
    const stored: unknown = JSON.parse(readFileSync("data/brenkamp/truth.json", "utf8"));
    expect(stored).toMatchObject({ surveyedSegments });
    const budgets = await rows(`
      SELECT survey.benefit_segment AS segment, AVG(truth.mean_budget_cents) AS cents FROM survey_truth AS survey
      JOIN truth ON truth.customer_id = survey.customer_id GROUP BY survey.benefit_segment ORDER BY cents`);
    expect(labels(budgets, "segment")).toEqual(["price-minded", "convenience seeker", "connoisseur"]);
  });
});

describe("the generator of the survey", () => {
  const half = { ...brenkamp, customers: 3000, survey: { ...survey, share: 0.5 } };
  const persons = [...generateCustomers(half, 5)];
  const questions = surveyQuestions(survey, randomSource(5).stream("survey questions"));
  const respondents = persons.filter(({ survey_truth }) => survey_truth.length > 0);
  const careful = respondents.filter(({ survey_truth: [own] }) => own?.["manner"] === "careful");
  const columns = utilityColumns(survey);
  const utilityOf = (own: Texts, code: readonly number[]): number =>
    sum(columns.map((name, k) => Number(own[name]) * (code[k] as number)));

  /** Distance of sums of independent draws from what is expected, in standard errors: one element a value of the draws. */
  function startScore(size: number) {
    const [off, variance] = [new Float64Array(size), new Float64Array(size)];
    return {
      /** One draw among alternatives with weights, each with its values. */
      add(weights: readonly number[], values: readonly (readonly number[])[], drawn: number): void {
        const total = sum(weights);
        for (let k = 0; k < size; k++) {
          const mean = sum(weights.map((weight, i) => (weight * (values[i]?.[k] as number)) / total));
          const spread = weights.map(
            (weight, i) => (weight * ((values[i]?.[k] as number) - mean) ** 2) / total,
          );
          off[k] = (off[k] as number) + (values[drawn]?.[k] as number) - mean;
          variance[k] = (variance[k] as number) + sum(spread);
        }
      },
      distances: (): number[] =>
        Array.from(off, (value, k) => Math.abs(value) / Math.sqrt(variance[k] as number)),
    };
  }

  it("invites the share of those registered before the fieldwork, by lot", () => {
    const registered = persons.filter(({ customers: [own] }) => (own?.registered_on ?? "") < survey.firstDay);
    const share = respondents.length / registered.length;
    expect(2 * Math.abs(share - 0.5) * Math.sqrt(registered.length)).toBeLessThan(4);
    for (const {
      customers: [own],
      survey_respondents: [row],
    } of respondents) {
      expect(row?.["customer_id"]).toBe(own?.customer_id);
      expect((own?.registered_on ?? "") < survey.firstDay).toBe(true);
      expect(row?.["asked_on"]?.slice(0, 8)).toBe("2025-11-");
    }
    const versions = [1, 2, 3, 4, 5, 6].map(
      (version) =>
        respondents.filter(({ survey_respondents: [row] }) => row?.["version"] === String(version)).length,
    );
    const each = respondents.length / 6;
    expect(sum(versions.map((count) => (count - each) ** 2 / each))).toBeLessThan(20.5); // chi-square, 5 df: p = 0.001
  });

  it("draws the segment by acquisition channel and mean budget as stated", () => {
    for (const { channel_id: channel } of brenkamp.acquisition) {
      const score = startScore(3);
      for (const {
        truth,
        survey_truth: [own],
      } of respondents) {
        if (truth.acquisition_channel !== channel) continue;
        const weights = survey.segments.map(
          ({ channelWeights, budgetExponent }) =>
            (channelWeights[channel] as number) * (Number(truth.mean_budget) / 25) ** budgetExponent,
        );
        const budget = Math.log(Number(truth.mean_budget));
        score.add(
          weights,
          [
            [1, 0, budget],
            [0, 1, 0],
            [0, 0, 0],
          ],
          segments.indexOf(own?.["benefit_segment"] ?? ""),
        );
      }
      for (const distance of score.distances()) expect(distance, channel).toBeLessThan(4);
    }
  });

  it("spreads utilities around the means of the segment", () => {
    for (const { name: segment, partWorths, statements: items } of survey.segments) {
      const own = respondents
        .flatMap(({ survey_truth }) => survey_truth)
        .filter((row) => row["benefit_segment"] === segment);
      const means: [string, number, number][] = [
        ...Object.entries(partWorths).map(([name, mean]): [string, number, number] => {
          const { none, partWorth, logPrice } = survey.spread;
          const ofPrice = Math.abs(mean) * Math.sqrt(Math.expm1(logPrice ** 2)); // log-normal with this mean
          return [name, mean, name === "none" ? none : name.startsWith("price ") ? ofPrice : partWorth];
        }),
        ...Object.entries(items).map(([name, mean]): [string, number, number] => [
          name,
          mean,
          survey.spread.statement,
        ]),
      ];
      for (const [name, mean, spread] of means) {
        const values = own.map((row) => Number(row[name]));
        const found = sum(values) / values.length;
        const deviation = Math.sqrt(sum(values.map((value) => (value - found) ** 2)) / values.length);
        expect(Math.abs(found - mean) / (spread / Math.sqrt(values.length)), name).toBeLessThan(4);
        expect(Math.abs(deviation / spread - 1) * Math.sqrt(2 * values.length), name).toBeLessThan(5);
        if (name.startsWith("price ")) expect(Math.max(...values)).toBeLessThan(0);
      }
      const ratio = (partWorths["price from 19.9"] as number) / (partWorths["price to 19.9"] as number);
      expect(ratio).toBe(segment === "price-minded" ? 2 : 1);
    }
  });

  it("lets careful respondents choose by the logit of their own utilities, task for task", () => {
    const score = startScore(columns.length);
    const none = columns.map((name) => Number(name === "none"));
    for (const {
      survey_choices,
      survey_respondents: [row],
      survey_truth: [own],
    } of careful) {
      const tasks = questions.versions[Number(row?.["version"]) - 1] ?? [];
      const seen = new Set<unknown>();
      for (const { task, choice } of survey_choices) {
        if (choice === "7" || seen.has(task)) continue;
        seen.add(task);
        const codes = [none, ...(tasks[Number(task) - 1] ?? []).map(({ code }) => code)];
        score.add(
          codes.map((code) => Math.exp(utilityOf(own ?? {}, code))),
          codes,
          Number(choice),
        );
      }
    }
    for (const [k, distance] of score.distances().entries()) expect(distance, columns[k]).toBeLessThan(4);
  });

  it("lets them choose best and worst by the logit of differences", () => {
    const names = statements.slice(0, -1);
    const score = startScore(2 * names.length);
    for (const {
      survey_bestworst,
      survey_truth: [own],
    } of careful) {
      for (const { set, best, worst } of survey_bestworst) {
        if (worst === "nice colour") continue;
        const shown = questions.sets[Number(set) - 1] ?? [];
        const pairs = shown.flatMap((b) => shown.filter((w) => w !== b).map((w) => [b, w]));
        const utility = (item = ""): number => Number(own?.[item] ?? 0);
        score.add(
          pairs.map(([b, w]) => Math.exp(utility(b) - utility(w))),
          pairs.map(([b, w]) => [
            ...names.map((name) => Number(name === b)),
            ...names.map((name) => Number(name === w)),
          ]),
          pairs.findIndex(([b, w]) => b === best && w === worst),
        );
      }
    }
    for (const distance of score.distances()) expect(distance).toBeLessThan(4);
  });

  it("lets half of the respondents rate, in a straight line with their utility", () => {
    const raters = careful.filter(({ survey_ratings }) => survey_ratings.length > 0);
    expect(Math.abs(raters.length / careful.length - 0.5) * 2 * Math.sqrt(careful.length)).toBeLessThan(4);
    const off: number[] = [];
    for (const {
      survey_ratings,
      survey_truth: [own],
    } of raters) {
      for (const { card, rating } of survey_ratings) {
        const code = questions.cards[Number(card) - 1]?.code ?? [];
        const expected = 5 + 0.8 * (utilityOf(own ?? {}, code) - Number(own?.["none"]));
        if (rating !== "11" && expected > 4 && expected < 6) off.push(Number(rating) - expected); // far from the cuts
      }
    }
    const variance = 1 + 1 / 12; // noise and rounding
    expect(Math.abs(sum(off)) / Math.sqrt(variance * off.length)).toBeLessThan(4);
    const found = sum(off.map((value) => value ** 2)) / off.length;
    expect(Math.abs(found / variance - 1) * Math.sqrt(off.length / 2)).toBeLessThan(4);
  });

  it("lets speeders answer by chance and straight-liners always alike", () => {
    const { surveyShares } = brenkamp.defects;
    for (const [manner, share] of [
      ["speeder", surveyShares.speeder],
      ["straight_liner", surveyShares.straight_liner],
    ] as const) {
      const own = respondents.filter(({ survey_truth: [row] }) => row?.["manner"] === manner);
      const z =
        (own.length / respondents.length - share) / Math.sqrt((share * (1 - share)) / respondents.length);
      expect(Math.abs(z)).toBeLessThan(4);
      const choices = own.flatMap(({ survey_choices }) => survey_choices);
      const counts = [0, 1, 2, 3].map(
        (place) => choices.filter(({ choice }) => choice === String(place)).length,
      );
      if (manner === "speeder") {
        const each = choices.length / 4;
        expect(sum(counts.map((count) => (count - each) ** 2 / each))).toBeLessThan(16.3); // 3 df: p = 0.001
      } else {
        expect(counts).toEqual([0, choices.length, 0, 0]);
        expect(own.every(({ survey_ratings: r }) => r.every(({ rating }) => rating === "5"))).toBe(true);
        for (const { set, best, worst } of own.flatMap(({ survey_bestworst }) => survey_bestworst))
          expect([best, worst]).toEqual([
            questions.sets[Number(set) - 1]?.[0],
            questions.sets[Number(set) - 1]?.[3],
          ]);
      }
    }
  });

  it("has random streams of its own: another survey changes nothing else", () => {
    const few = { ...brenkamp, customers: 300 };
    const other = { ...few, survey: { ...survey, share: 1, rating: { ...survey.rating, share: 0 } } };
    const [tables, others] = [generateCompany(few).tables, generateCompany(other).tables];
    for (const [name, columns] of Object.entries(tables)) {
      if (!name.startsWith("survey_")) expect(others[name as keyof typeof others], name).toEqual(columns);
    }
    expect(others.survey_profiles).toEqual(tables.survey_profiles);
    expect(others.survey_ratings["rating"]).toEqual([]);
    const asked = new Set(others.survey_respondents["customer_id"]);
    expect(tables.survey_respondents["customer_id"]?.every((id) => asked.has(id))).toBe(true);
    expect(asked.size).toBeGreaterThan(250);
  });
});

describe("the survey of a small company", () => {
  it("is refused where nobody was asked", async () => {
    const out = join(folder, "few");
    await writeSample({
      out,
      customers: 40,
      seed: 3,
      formats: ["csv"],
      parameters: { ...brenkamp, survey: { ...survey, share: 0 } },
    });
    const warehouse = await open(":memory:");
    await expect(loadCompany(warehouse, out)).rejects.toThrow(
      new DataError(`${out}/survey_respondents.csv has a header but no rows`),
    );
    await warehouse.close();
  });

  it("loses best-worst answers that no question allows", async () => {
    const out = join(folder, "small");
    await writeSample({ out, customers: 400, seed: 3, formats: ["csv"] });
    const warehouse = await open(":memory:");
    await loadCompany(warehouse, out);
    const { tables } = generateCompany({ ...brenkamp, customers: 400 }, 3);
    const ids = [...new Set(tables.survey_bestworst["customer_id"])];
    const line = (id: string | undefined, answer: string): string => `${id},1,${answer}\n`;
    const good = ids.slice(3, 33).map((id) => line(id, "taste,freshness"));
    const path = join(out, "survey_bestworst.csv");
    file(
      "small/survey_bestworst.csv",
      `customer_id,set,best,worst\n${line(ids[0], "taste,taste")}${line(ids[1], "origin,taste")}${line(ids[2], "taste,origin")}${good.join("")}`,
    );
    const { survey_bestworst: report } = await loadSurvey(warehouse, out);
    expect(report).toMatchObject({ rejected: 3, accepted: good.length });
    expect(
      report.findings.map(({ line: at, column, found, allowed }) => [at, column, found, allowed]),
    ).toEqual([
      [2, "worst", '"taste"', "another statement of the set than the best"],
      [3, "best", '"origin"', "a statement of the set"],
      [4, "worst", '"origin"', "another statement of the set than the best"],
    ]);
    expect(path).toBe(report.file);
    await warehouse.close();
  });
});
