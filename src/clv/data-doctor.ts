import { type ColumnTable, table } from "arquero";
import { median, sampleCorrelation, sampleRankCorrelation } from "simple-statistics";
import { isoMonth, monthNumber } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { requireDay } from "../core/read-day.js";
import { describe } from "../core/table.js";
import type { TimeUnit } from "../core/types.js";
import { symmetricEigen } from "../numeric/matrix.js";
import { regularisedBeta } from "../numeric/special.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";
import { purchaseRegularity } from "./bg-nbd.js";
import { purchaseCells } from "./cells.js";
import { fitNbd } from "./nbd.js";
import { type PurchaseColumns, readPurchases, spanOf } from "./purchase-summary.js";
import { type PurchaseRow, purchaseDayCount, type ReturnRule, spendByDay, treatReturns } from "./returns.js";

/** What is looked for in a log of purchases. */
export type PurchaseCheck =
  | "duplicate rows"
  | "same-day orders"
  | "times of day"
  | "returns and zero amounts"
  | "silence before the end"
  | "short observation"
  | "left truncation"
  | "one-time buyers"
  | "very many purchases"
  | "spend and frequency"
  | "regularity"
  | "seasonality"
  | "cohort mixing";

/** What one check found in a log of purchases. */
export interface PurchaseFinding {
  /** What was looked for. */
  readonly check: PurchaseCheck;
  /** "ok": not found; "note": there, or not testable, but no reason to change anything; "warning": do the remedy first. */
  readonly level: "ok" | "note" | "warning";
  /** How many rows, customers or purchases it concerns; `evidence` says which. */
  readonly count: number;
  /** The count as a share of all rows, customers or purchases that were looked at, 0 to 1. */
  readonly share: number;
  /** What goes wrong if nothing is done; "none" where nothing was found. */
  readonly consequence: string;
  /** What to do next, with the functions of this package; "none" where nothing was found. */
  readonly remedy: string;
  /** The numbers in words: what was compared, how large it is, how likely by chance. */
  readonly evidence: string;
}

/** All checks of a log of purchases. */
export interface PurchaseDiagnosis {
  /** One finding a check, always all of them, in a fixed order. */
  readonly findings: readonly PurchaseFinding[];
  /** The findings as a table: `check`, `level`, `count`, `share`, `consequence`, `remedy`, `evidence`. */
  table(): ColumnTable;
}

/** The log that is diagnosed, as `summarisePurchases` would read it. */
export interface DiagnoseOptions extends PurchaseColumns {
  /** Last day that is observed, included; rows after it are left out. */
  readonly end: string;
  /** Unit in which lengths of time are reported. */
  readonly unit: TimeUnit;
  /** What will be done with amounts that are not above 0; default "reject", under which the other checks skip negative ones. */
  readonly returns?: ReturnRule;
}

/** Tests warn where chance alone would show as much in 1 of 100 logs without the defect. */
const SIGNIFICANCE = 0.01;
const Z99 = 2.5758293035489004; // standard normal quantile of 0.995
/** With many customers everything is significant: a warning needs an effect of at least this size too. */
const LEAST = {
  arrivalRatio: 1.5, // "first" purchases a week at the start / later
  correlation: 0.1, // of the ranks of spend and frequency
  regularity: 1.5, // where CNBD-2 is nearer than k = 1; bursts: 1 / 1.5
  season: 0.2, // strongest month, above or below 1
  drift: 0.05, // repeat rate of the best acquisition quarter less the worst
  sameDay: 0.1, // share of rows merged
  duplicates: 0.01, // share of rows
  oneTime: 0.5, // share of customers; a note from 0.2
  silentDays: 7,
  purchases: 10, // of a customer with very many
} as const;
const ARRIVAL_WINDOW = 28; // days
const TRIAL = 91; // days in which a new customer counts as a repeat buyer or not: a quarter
const LEAST_CUSTOMERS = 30; // fewer are not tested

const advice: Readonly<Record<PurchaseCheck, Pick<PurchaseFinding, "consequence" | "remedy">>> = {
  "duplicate rows": {
    consequence: "spend is counted twice, and so is a customer's value",
    remedy:
      "remove rows that are equal in all columns, or keep the order number in the table if they are different orders",
  },
  "same-day orders": {
    consequence:
      "orders of a customer on one day are one purchase: there are fewer and larger purchases than orders",
    remedy:
      "read x as days with a purchase; if one key stands for several buyers (a firm, a till), split or leave it out",
  },
  "times of day": {
    consequence:
      "the times of day are dropped; days are days in UTC, so a local midnight falls on the day before",
    remedy: "convert to the local calendar day before summarisePurchases",
  },
  "returns and zero amounts": {
    consequence: "summarisePurchases refuses negative amounts, fitGammaGamma mean spends of 0",
    remedy: 'choose returns: "net" or returns: "drop" in summarisePurchases',
  },
  "silence before the end": {
    consequence: "the log seems to stop before the end given: all customers look silent, P(alive) is too low",
    remedy: "set end to the last day that the log covers",
  },
  "short observation": {
    consequence:
      "customers are observed for less than one interval between purchases: dropout cannot be told from patience",
    remedy: "observe longer, or fit fitNbd as yardstick and report intervals, not P(alive)",
  },
  "left truncation": {
    consequence:
      "the first weeks hold old customers whose earlier purchases are cut off: x, recency and T are wrong for them",
    remedy: "leave out customers whose first purchase lies in the first weeks, or get their true first day",
  },
  "one-time buyers": {
    consequence:
      "under the BG/NBD everybody without a repeat purchase is alive by construction: P(alive) is 1 for them",
    remedy: "use fitMbgNbd or fitParetoNbd for P(alive); compare the expected purchases with the BG/NBD's",
  },
  "very many purchases": {
    consequence:
      "a few customers buy more than any mixture of buyers explains: they bend the parameters of all",
    remedy: "look at them (resellers, tills, tests, staff); leave them out and value them one by one",
  },
  "spend and frequency": {
    consequence:
      "mean spend depends on frequency, which the Gamma-Gamma model excludes: value of frequent buyers is biased",
    remedy: "fit fitGammaGamma within groups of similar frequency, or report the value with and without it",
  },
  regularity: {
    consequence:
      "times between purchases are not exponential: silence of a regular buyer means more, of a bursty one less",
    remedy:
      "k above 1: fit fitMbgCnbdK or fitBgCnbdK; k below 1: merge split orders first, count in weeks, read P(alive) with care",
  },
  seasonality: {
    consequence:
      "the models know no calendar: a season near the end is taken for more, or less, loyal customers",
    remedy:
      "count time on a seasonalClock, or let calibration and holdout hold whole years or the same months; if cohorts drift too, treat that first",
  },
  "cohort mixing": {
    consequence:
      "customers of different quarters are not drawn from one population: newer ones get the older ones' forecast",
    remedy: "fit each acquisition quarter, or recent quarters alone, and compare parameters",
  },
};

/** Purchases of one customer up to the end; `days` ascending, at least one. */
interface Buyer {
  readonly id: unknown;
  readonly first: number;
  readonly days: readonly number[];
  /** Money of the repeat purchases. */
  readonly repeatSpend: number;
  /** Money of the first repeat purchase, 0 without one. */
  readonly firstRepeatSpend: number;
}

interface Log {
  readonly start: number;
  readonly end: number;
  readonly buyers: readonly Buyer[];
  /** A number of days in words, in the unit of the options. */
  readonly time: (days: number) => string;
}

/**
 * Is a log of purchases fit for the models of repeat buying and spend? Counts what the models would swallow without a
 * word and tests what they assume. Tests warn at the 1% level and only where the effect is large enough to matter:
 *
 * - left truncation: "first" purchases a day in the first 4 weeks against later weeks (their scatter estimated; t test);
 *   1.5 times as many
 * - very many purchases: 10 and more, beyond what an NBD fitted to the others explains for the largest of all customers
 * - spend and frequency: Spearman's rank correlation of x and the spend of one purchase; 0.1
 * - regularity: Wheat & Morrison's k of the first two gaps, jackknife; k of 1.5 and more, or 1 / 1.5 and less
 * - seasonality: purchases of a calendar month against those expected from the time since each buyer's first purchase,
 *   with the variance between customers (robust score test); strongest month 20% off
 * - cohort mixing: shares of customers who buy again within 13 weeks, by acquisition quarter (chi-square); 5 points apart
 * - silence before the end: days without any purchase, given the last 4 weeks' rate (Poisson); a week
 *
 * The other checks count: duplicate rows (warning from 1% of rows), same-day orders (10%), times of day (all the same),
 * returns (any negative amount under `reject`), one-time buyers (half), short observation (half of the customers observed
 * for less than the mean time between purchases after the first repeat, open gaps counted).
 * @throws DataError if the table is empty, a column is missing, a value is not allowed, or nobody bought up to the end.
 * @throws RangeError if `end` is no day. @throws ConvergenceError if the NBD's search does not settle.
 * @see Fader, Hardie & Lee (2005), RFM and CLV, J. Marketing Research 42(4), for the independence of spend and frequency;
 * Wheat & Morrison (1990), J. Marketing Research 27(1), for k; Lin & Wei (1989), JASA 84(408), for robust score tests.
 */
export function diagnosePurchases(purchases: ColumnTable, options: DiagnoseOptions): PurchaseDiagnosis {
  const { unit, returns = "reject", date = "ordered_on", amount = "amount" } = options;
  const end = requireDay("end", options.end);
  const all = readPurchases(purchases, options);
  const isObserved = ({ day }: PurchaseRow): boolean => day <= end;
  const rows = all.filter(isObserved);
  const sales = rows.filter(({ money }) => money > 0 || (money === 0 && returns === "reject"));
  const treated = treatReturns(returns === "reject" ? sales : rows, returns, amount);
  const buyers = [...treated.customers].map(([id, days]) => buyerOf(id, days));
  if (buyers.length === 0) {
    throw new DataError(`purchases: nobody bought up to the end, ${options.end}; ${spanOf(all)}`);
  }
  const log: Log = {
    start: buyers.reduce((least, { first }) => Math.min(least, first), end),
    end,
    buyers,
    time: (days) => (unit === "weeks" ? `${(days / 7).toFixed(1)} weeks` : `${days.toFixed(0)} days`),
  };
  const observed = [...all.keys()].filter((row) => isObserved(all[row] as PurchaseRow));
  const findings = Object.freeze([
    duplicateRows(purchases, observed),
    sameDayOrders(sales),
    timesOfDay(purchases.array(date) as readonly unknown[], observed),
    zeroAndNegative(rows, returns, amount),
    silenceBeforeEnd(log),
    shortObservation(log),
    leftTruncation(log),
    oneTimeBuyers(log),
    veryManyPurchases(log),
    spendAndFrequency(log),
    regularity(log),
    seasonality(log),
    cohortMixing(log),
  ]);
  return Object.freeze({ findings, table: () => findingsTable(findings) });
}

function buyerOf(id: unknown, spend: ReadonlyMap<number, number>): Buyer {
  const days = [...spend.keys()].sort((a, b) => a - b);
  const first = days[0] as number;
  const repeats = days.slice(1).map((day) => spend.get(day) as number);
  return { id, first, days, repeatSpend: sumOf(repeats), firstRepeatSpend: repeats[0] ?? 0 };
}

function finding(
  check: PurchaseCheck,
  level: PurchaseFinding["level"],
  count: number,
  of: number,
  evidence: string,
): PurchaseFinding {
  const { consequence, remedy } = level === "ok" ? { consequence: "none", remedy: "none" } : advice[check];
  return Object.freeze({
    check,
    level,
    count,
    share: of === 0 ? 0 : count / of,
    consequence,
    remedy,
    evidence,
  });
}

/** Nothing found, but nothing excluded either: too little data for the test. */
function untested(check: PurchaseCheck, evidence: string): PurchaseFinding {
  return Object.freeze({
    ...finding(check, "note", 0, 0, `not tested: ${evidence}`),
    consequence: `if it is there: ${advice[check].consequence}`,
  });
}

/** A significant effect is a warning if it is large, else a note. */
const levelOf = (p: number, isLarge: boolean): PurchaseFinding["level"] =>
  p >= SIGNIFICANCE ? "ok" : isLarge ? "warning" : "note";

function duplicateRows(purchases: ColumnTable, rows: readonly number[]): PurchaseFinding {
  const columns = purchases.columnNames().map((name) => purchases.array(name) as readonly unknown[]);
  const distinct = new Set(rows.map((row) => columns.map((column) => describe(column[row])).join("\n")));
  const count = rows.length - distinct.size;
  const level = count === 0 ? "ok" : count / rows.length < LEAST.duplicates ? "note" : "warning";
  return finding(
    "duplicate rows",
    level,
    count,
    rows.length,
    `${count} of ${rows.length} rows repeat another in all columns`,
  );
}

function sameDayOrders(sales: readonly PurchaseRow[]): PurchaseFinding {
  const days = purchaseDayCount(spendByDay(sales));
  const count = sales.length - days;
  const level = count === 0 ? "ok" : count / sales.length < LEAST.sameDay ? "note" : "warning";
  const evidence = `${sales.length} orders fall on ${days} days of customers: ${count} merge with another`;
  return finding("same-day orders", level, count, sales.length, evidence);
}

function timesOfDay(dates: readonly unknown[], rows: readonly number[]): PurchaseFinding {
  const times = rows.map((row) => timeOfDay(dates[row])).filter((time) => time !== "");
  const kinds = new Set(times);
  const isShifted = kinds.size === 1 && times.length === rows.length;
  const evidence = isShifted
    ? `all ${rows.length} rows have the time of day ${[...kinds].join("")} UTC: most likely midnight elsewhere`
    : `${times.length} of ${rows.length} rows have a time of day`;
  const level = times.length === 0 ? "ok" : isShifted ? "warning" : "note";
  return finding("times of day", level, times.length, rows.length, evidence);
}

/** "22:00:00" of a Date or a text with a time, "" at midnight and without a time. */
function timeOfDay(date: unknown): string {
  const text = date instanceof Date ? date.toISOString() : typeof date === "string" ? date : "";
  const time = /[T ](\d{2}:\d{2}(?::\d{2})?)/.exec(text)?.[1] ?? "";
  return /[1-9]/.test(time) ? time : "";
}

function zeroAndNegative(rows: readonly PurchaseRow[], rule: ReturnRule, amount: string): PurchaseFinding {
  const negative = rows.filter(({ money }) => money < 0).length;
  const zero = rows.filter(({ money }) => money === 0).length;
  const found = `${negative} negative amounts and ${zero} of 0 in ${rows.length} rows`;
  if (negative + zero === 0) return finding("returns and zero amounts", "ok", 0, rows.length, found);
  const effects = (["drop", "net"] as const).map((each) => {
    const { daysRemoved, customersRemoved, amountLeftOut } = treatReturns(rows, each, amount).counts;
    const left = `${(-amountLeftOut).toFixed(2)} of returns set off against no purchase`;
    return `"${each}" removes ${daysRemoved} days and ${customersRemoved} customers, ${left}`;
  });
  const level = negative > 0 && rule === "reject" ? "warning" : "note";
  const evidence = `${found}; ${effects.join("; ")}`;
  return finding("returns and zero amounts", level, negative + zero, rows.length, evidence);
}

function silenceBeforeEnd({ buyers, start, end, time }: Log): PurchaseFinding {
  const last = buyers.reduce((latest, { days }) => Math.max(latest, days.at(-1) as number), start);
  const from = Math.max(start, last - ARRIVAL_WINDOW + 1);
  const recent = buyers.reduce((sum, { days }) => sum + days.filter((day) => day >= from).length, 0);
  const perDay = recent / (last - from + 1);
  const silent = end - last;
  const p = Math.exp(-perDay * silent);
  const evidence = `the last purchase is ${time(silent)} before the end, after ${perDay.toFixed(2)} purchases a day before; ${chance(p)}`;
  return finding(
    "silence before the end",
    levelOf(p, silent >= LEAST.silentDays),
    silent,
    end - start + 1,
    evidence,
  );
}

function shortObservation({ buyers, end, time }: Log): PurchaseFinding {
  const ages = buyers.map(({ first }) => end - first);
  let [gaps, waited] = [0, 0];
  for (const { days } of buyers) {
    if (days.length < 2) continue;
    gaps += days.length - 2;
    waited += end - (days[1] as number);
  }
  const typicalAge = median(ages);
  const check = "short observation";
  if (gaps === 0) {
    const evidence = `nobody bought three times; half of the customers are observed for ${time(typicalAge)} or less`;
    return finding(check, "warning", buyers.length, buyers.length, evidence);
  }
  const interval = waited / gaps;
  const count = ages.filter((age) => age < interval).length;
  const level = typicalAge < interval ? "warning" : typicalAge < 2 * interval ? "note" : "ok";
  const evidence = `repeat buyers buy every ${time(interval)} (open gaps counted); half of the customers are observed for ${time(typicalAge)} or less, ${count} for less than one interval`;
  return finding(check, level, count, buyers.length, evidence);
}

/**
 * Are there more "first" purchases at the start than later? The later weeks' scatter, at least Poisson's, is the yardstick:
 * a t test of the log of the ratio.
 */
function leftTruncation({ buyers, start }: Log): PurchaseFinding {
  const check = "left truncation";
  const arrivals = buyers.map(({ first }) => first - start);
  const span = arrivals.reduce((latest, day) => Math.max(latest, day), 0) + 1;
  const window = Math.min(ARRIVAL_WINDOW, Math.floor(span / 3));
  const weeks = new Array<number>(Math.floor((span - window) / 7)).fill(0);
  if (weeks.length < 3 || buyers.length < LEAST_CUSTOMERS) {
    return untested(check, `${buyers.length} customers with first purchases within ${span} days`);
  }
  for (const day of arrivals) {
    const week = Math.floor((day - window) / 7);
    if (week >= 0 && week < weeks.length) weeks[week] = (weeks[week] as number) + 1;
  }
  const early = arrivals.filter((day) => day < window).length;
  const later = weeks.reduce((sum, n) => sum + n, 0) + 0.5; // never 0
  const perWeek = later / weeks.length;
  const dispersion = weeks.reduce((sum, n) => sum + (n - perWeek) ** 2, 0) / perWeek / (weeks.length - 1);
  const ratio = early / window / (perWeek / 7);
  const t = Math.log(ratio) / Math.sqrt(Math.max(1, dispersion) * (1 / early + 1 / later));
  const p = t > 0 ? studentTails(t, weeks.length - 1) / 2 : 1;
  const evidence = `${((early / window) * 7).toFixed(1)} first purchases a week in the first ${window} days, ${perWeek.toFixed(1)} in the ${weeks.length} weeks after: ${ratio.toFixed(2)} times; ${chance(p)}`;
  return finding(check, levelOf(p, ratio >= LEAST.arrivalRatio), early, buyers.length, evidence);
}

function oneTimeBuyers({ buyers }: Log): PurchaseFinding {
  const count = buyers.filter(({ days }) => days.length === 1).length;
  const share = count / buyers.length;
  const level = share >= LEAST.oneTime ? "warning" : share >= 0.2 ? "note" : "ok";
  const evidence = `${count} of ${buyers.length} customers bought on one day only (${percent(share)})`;
  return finding("one-time buyers", level, count, buyers.length, evidence);
}

/**
 * Customers whose count has a tail probability below 0.1% / customers under an NBD. The largest count is left out of the
 * fit: it must not widen the distribution that it is held against. The NBD is estimated, and a tail follows its errors:
 * a tenth of the level makes false alarms about as rare as the level says (measured on logs of 60 to 1,000 customers).
 */
function veryManyPurchases({ buyers, end }: Log): PurchaseFinding {
  const check = "very many purchases";
  const histories = buyers
    .map(({ id, first, days }) => ({
      id,
      x: days.length - 1,
      age: end - first,
      recency: (days.at(-1) as number) - first,
    }))
    .filter(({ age }) => age > 0)
    .sort((one, other) => other.x - one.x);
  const [most, ...others] = histories;
  if (most === undefined || others.length < LEAST_CUSTOMERS) {
    return untested(check, `${histories.length} customers`);
  }
  const { r, alpha } = fitNbd(
    purchaseCells({
      x: others.map(({ x }) => x),
      recency: others.map(({ recency }) => recency),
      age: others.map(({ age }) => age),
    }),
  ).parameters;
  const atLeast = (x: number, age: number): number => regularisedBeta(age / (alpha + age), x, r);
  const found = histories.filter(
    ({ x, age }) => x >= LEAST.purchases && atLeast(x, age) < SIGNIFICANCE / 10 / histories.length,
  );
  const evidence = `${found.length} of ${histories.length} customers have more repeat purchases than an NBD with r = ${r.toFixed(2)} explains; the most are ${most.x} in ${most.age} days (customer ${describe(most.id)})`;
  return finding(check, found.length > 0 ? "warning" : "ok", found.length, histories.length, evidence);
}

/**
 * The spend of one purchase, the first repeat one, must not depend on x: Spearman's rank correlation, exact for any
 * distribution. (Means of x purchases would not do: they scatter less with x, and skewed ones rank higher for it.)
 */
function spendAndFrequency({ buyers }: Log): PurchaseFinding {
  const check = "spend and frequency";
  const repeaters = buyers.filter(({ days }) => days.length > 1);
  const x = repeaters.map(({ days }) => days.length - 1);
  const spend = repeaters.map(({ firstRepeatSpend }) => firstRepeatSpend);
  if (repeaters.length < LEAST_CUSTOMERS || new Set(x).size === 1 || new Set(spend).size === 1) {
    return untested(check, `${repeaters.length} repeat buyers, or all with equal counts or spends`);
  }
  const rank = sampleRankCorrelation(x, spend);
  const p =
    rank ** 2 < 1 ? studentTails(rank * Math.sqrt((x.length - 2) / (1 - rank ** 2)), x.length - 2) : 0;
  const meanSpend = repeaters.map(({ repeatSpend }, row) => repeatSpend / (x[row] as number));
  const evidence = `${x.length} repeat buyers: rank correlation of x with the spend of the first repeat purchase ${rank.toFixed(3)}, ${chance(p)}; correlation of x with mean spend ${sampleCorrelation(x, meanSpend).toFixed(3)}`;
  return finding(check, levelOf(p, Math.abs(rank) >= LEAST.correlation), x.length, buyers.length, evidence);
}

/**
 * Under random buying, two gaps of whole days with sum S split evenly over 1, …, S - 1: the share of the first has
 * variance (1 - 2 / S) / 12, less than the 1 / 12 of continuous time. The shares are stretched to that, or frequent
 * buyers would seem regular; S = 2 can split in one way only and says nothing.
 */
function regularity({ buyers }: Log): PurchaseFinding {
  const check = "regularity";
  const shares: number[] = [];
  for (const { days } of buyers) {
    const [first = 0, second = 0, third] = days;
    if (third === undefined || third - first === 2) continue;
    const both = third - first;
    shares.push(0.5 + ((second - first) / both - 0.5) / Math.sqrt(1 - 2 / both));
  }
  if (shares.length < LEAST_CUSTOMERS || new Set(shares).size === 1) {
    return untested(
      check,
      `${shares.length} customers with three purchases or more, or all with the same gaps`,
    );
  }
  const k = regularityOf(shares);
  const groups = Math.min(shares.length, 100); // a jackknife by groups: 100 passes are enough, however many customers
  const left = Array.from({ length: groups }, (_, group) =>
    regularityOf(shares.filter((_share, row) => row % groups !== group)),
  );
  const centre = meanOf(left);
  const error = Math.sqrt(((groups - 1) / groups) * sumOf(left.map((value) => (value - centre) ** 2)));
  const p = twoSidedP((k - 1) / error);
  const evidence = `k = ${k.toFixed(2)}, 99% interval ${(k - Z99 * error).toFixed(2)} to ${(k + Z99 * error).toFixed(2)}, from the first two gaps of ${shares.length} customers; ${chance(p)}`;
  const isLarge = k >= LEAST.regularity || k <= 1 / LEAST.regularity;
  return finding(check, levelOf(p, isLarge), shares.length, buyers.length, evidence);
}

const regularityOf = (shares: readonly number[]): number =>
  purchaseRegularity(
    shares,
    shares.map((share) => 1 - share),
  );

/**
 * Repeat purchases by calendar month against those expected if the rate depended only on the days since the first
 * purchase: the score of a month's effect in a Poisson regression stratified by that age, as in the log-rank test. The
 * variance is that of the customers' own contributions, because rates differ between customers.
 */
function seasonality(log: Log): PurchaseFinding {
  const check = "seasonality";
  const { score, variance, expected, firstMonth, purchases } = monthScores(log);
  const months = expected.flatMap((mean, month) => (mean >= 20 ? [month] : []));
  const { statistic, df } = quadraticForm(
    months.map((month) => score[month] as number),
    months.map((row) => months.map((column) => (variance[row] as Float64Array)[column] as number)),
  );
  if (df === 0) {
    return untested(
      check,
      `${purchases} repeat purchases: too few a month, or months differ only together with the customers' ages`,
    );
  }
  const p = chiSquareTail(statistic, df);
  const size = (month: number): number =>
    Math.abs(score[month] as number) /
    Math.sqrt(Math.max((variance[month] as Float64Array)[month] as number, 1e-300));
  const strongest = months.reduce((one, other) => (size(other) > size(one) ? other : one));
  const mean = expected[strongest] as number;
  const count = Math.round(mean + (score[strongest] as number));
  const effect = (score[strongest] as number) / mean;
  const evidence = `strongest month ${isoMonth(firstMonth + strongest)}: ${count} repeat purchases where ${mean.toFixed(1)} are expected (${signedPercent(effect)}); chi-square ${statistic.toFixed(1)} on ${df} degrees of freedom, ${chance(p)}`;
  return finding(check, levelOf(p, Math.abs(effect) >= LEAST.season), count, purchases, evidence);
}

interface MonthScores {
  /** Purchases less expected purchases, by month from the first. */
  readonly score: Float64Array;
  readonly expected: readonly number[];
  readonly variance: readonly Float64Array[];
  readonly firstMonth: number;
  readonly purchases: number;
}

function monthScores({ buyers, start, end }: Log): MonthScores {
  const firstMonth = monthNumber(start);
  const monthOf = Int32Array.from(
    { length: end - start + 1 },
    (_, day) => monthNumber(start + day) - firstMonth,
  );
  const size = monthNumber(end) - firstMonth + 1;
  const span = end - start;
  const newcomers = new Float64Array(span + 1);
  const bought = new Float64Array(span + 1); // by age in days
  let purchases = 0;
  for (const { first, days } of buyers) {
    newcomers[first - start] = (newcomers[first - start] as number) + 1;
    for (const day of days.slice(1)) bought[day - first] = (bought[day - first] as number) + 1;
    purchases += days.length - 1;
  }
  const atRisk = new Float64Array(span + 1);
  const shares = Array.from({ length: span + 1 }, () => new Float64Array(size)); // of each age's exposure, by month
  for (const [first, n] of newcomers.entries()) {
    if (n === 0) continue;
    for (let age = 1; first + age <= span; age++) {
      atRisk[age] = (atRisk[age] as number) + n;
      addTo(shares[age] as Float64Array, monthOf[first + age] as number, n);
    }
  }
  for (const [age, share] of shares.entries()) {
    const all = atRisk[age] as number;
    if (all > 0) for (let month = 0; month < size; month++) share[month] = (share[month] as number) / all;
  }
  const rate = bought.map((n, age) => (n === 0 ? 0 : n / (atRisk[age] as number)));

  // what a customer who came on a day contributes by having been there, without a purchase
  const waiting = Array.from(newcomers, (n, first) => {
    const contribution = new Float64Array(size);
    if (n === 0) return contribution;
    for (let age = 1; first + age <= span; age++) {
      const hazard = rate[age] as number;
      if (hazard === 0) continue;
      addScaled(contribution, shares[age] as Float64Array, hazard);
      addTo(contribution, monthOf[first + age] as number, -hazard);
    }
    return contribution;
  });
  const score = new Float64Array(size);
  const observed = new Float64Array(size);
  const variance = Array.from({ length: size }, () => new Float64Array(size));
  for (const { first, days } of buyers) {
    const own = Float64Array.from(waiting[first - start] as Float64Array);
    for (const day of days.slice(1)) {
      const month = monthOf[day - start] as number;
      addTo(own, month, 1);
      addTo(observed, month, 1);
      addScaled(own, shares[day - first] as Float64Array, -1);
    }
    addScaled(score, own, 1);
    for (const [row, value] of own.entries())
      if (value !== 0) addScaled(variance[row] as Float64Array, own, value);
  }
  return {
    score,
    expected: Array.from(observed, (n, month) => n - (score[month] as number)),
    variance,
    firstMonth,
    purchases,
  };
}

const addTo = (to: Float64Array, index: number, value: number): void => {
  to[index] = (to[index] as number) + value;
};

function addScaled(to: Float64Array, from: Float64Array, scale: number): void {
  for (let index = 0; index < to.length; index++) {
    to[index] = (to[index] as number) + scale * (from[index] as number);
  }
}

/** score' variance^- score over the directions that have a variance, and how many they are. */
function quadraticForm(
  score: readonly number[],
  variance: readonly (readonly number[])[],
): { readonly statistic: number; readonly df: number } {
  if (score.length === 0) return { statistic: 0, df: 0 };
  const { values, vectors } = symmetricEigen(variance);
  let [statistic, df] = [0, 0];
  for (const [index, value] of values.entries()) {
    if (!(value > 1e-8 * (values.at(-1) as number) && value > 1e-8)) continue;
    const along = sumOf((vectors[index] as number[]).map((part, row) => part * (score[row] as number)));
    statistic += along ** 2 / value;
    df++;
  }
  return { statistic, df };
}

function cohortMixing({ buyers, end }: Log): PurchaseFinding {
  const check = "cohort mixing";
  const quarters = new Map<number, { customers: number; repeaters: number }>();
  for (const { first, days } of buyers) {
    if (end - first < TRIAL) continue;
    const quarter = Math.floor((monthNumber(first) - 1) / 3);
    const counts = quarters.get(quarter) ?? { customers: 0, repeaters: 0 };
    counts.customers++;
    if (days.length > 1 && (days[1] as number) - first <= TRIAL) counts.repeaters++;
    quarters.set(quarter, counts);
  }
  const rates = [...quarters]
    .filter(([, { customers }]) => customers >= LEAST_CUSTOMERS)
    .sort(([one], [other]) => one - other)
    .map(([quarter, counts]) => ({ ...counts, quarter, rate: counts.repeaters / counts.customers }));
  const [one] = rates;
  if (one === undefined) {
    return untested(check, `no quarter has ${LEAST_CUSTOMERS} customers who are observed for ${TRIAL} days`);
  }
  if (rates.length === 1) {
    const evidence = `one acquisition quarter, ${quarterName(one.quarter)}: ${one.customers} customers, ${percent(one.rate)} buy again within ${TRIAL} days`;
    return finding(check, "ok", one.customers, buyers.length, evidence);
  }
  const customers = sumOf(rates.map((cohort) => cohort.customers));
  const rate = sumOf(rates.map(({ repeaters }) => repeaters)) / customers;
  const statistic =
    rate === 0 || rate === 1
      ? 0
      : sumOf(rates.map((cohort) => (cohort.customers * (cohort.rate - rate) ** 2) / (rate * (1 - rate))));
  const p = chiSquareTail(statistic, rates.length - 1);
  const byRate = [...rates].sort((a, b) => a.rate - b.rate);
  const [worst, best] = [byRate[0] ?? one, byRate.at(-1) ?? one];
  const slope = sumOf(rates.map((cohort) => cohort.customers * (cohort.rate - rate) * cohort.quarter));
  const evidence = `share who buy again within ${TRIAL} days, by acquisition quarter: ${slope < 0 ? "falling" : "rising"}, from ${percent(worst.rate)} (${quarterName(worst.quarter)}) to ${percent(best.rate)} (${quarterName(best.quarter)}); chi-square ${statistic.toFixed(1)} on ${rates.length - 1} degrees of freedom, ${chance(p)}`;
  return finding(
    check,
    levelOf(p, best.rate - worst.rate >= LEAST.drift),
    customers,
    buyers.length,
    evidence,
  );
}

const quarterName = (quarter: number): string => `${Math.floor(quarter / 4)}-Q${(quarter % 4) + 1}`;

function findingsTable(findings: readonly PurchaseFinding[]): ColumnTable {
  return table({
    check: findings.map(({ check }) => check),
    level: findings.map(({ level }) => level),
    count: findings.map(({ count }) => count),
    share: findings.map(({ share }) => share),
    consequence: findings.map(({ consequence }) => consequence),
    remedy: findings.map(({ remedy }) => remedy),
    evidence: findings.map(({ evidence }) => evidence),
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const meanOf = (values: readonly number[]): number => sumOf(values) / values.length;

/** Probability that a Student t number is at least as far from 0. */
const studentTails = (t: number, df: number): number => regularisedBeta(df / (df + t * t), df / 2, 0.5);

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const signedPercent = (share: number): string => `${share < 0 ? "" : "+"}${percent(share)}`;
const chance = (p: number): string => (p < 1e-4 ? "p < 0.0001" : `p = ${p.toFixed(4)}`);
