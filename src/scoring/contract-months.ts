import { type ColumnTable, table } from "arquero";
import type { CovariateColumns } from "../core/covariates.js";
import { isoDay, monthsLater } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { dayColumn, dayOf, requireDay } from "../core/read-day.js";
import { compareIds, describe, idColumn, numberColumn, textColumn, valueColumn } from "../core/table.js";
import { fitLogistic, type LogisticFit, type LogisticOptions, predictProbability } from "./logistic.js";

/** How to cut contracts into months. */
export interface ContractMonthOptions {
  /** Last day that is known, for instance "2025-12-31": ends and contacts after it are as if they had not happened yet. */
  readonly lastDay: string;
  /**
   * First day from which ends and contacts are known, for instance "2023-01-01"; the start of every contract unless given.
   * Months that began before it are left out (left truncation): contracts that ended in them are not in the data.
   */
  readonly firstDay?: string;
  /** Column that names the customer in both tables; "customer_key" unless given. */
  readonly customer?: string;
  /** Reasons of contacts that get a column; those of the contacts, in order, unless given. */
  readonly reasons?: readonly string[];
}

const CONTACTS = "contacts_";

/**
 * Person-period data of contracts that renew every month: one row for each month under contract, which ends at a renewal
 * date, when the customer stays or leaves. Renewal dates are the same day of each following month, the last day where a
 * month is too short, always counted from the start. The month runs from the last renewal date (or the start) to the day
 * before the next one, so contacts on the day of leaving do not count. The month that runs on `lastDay` is a row, too, with
 * the contacts so far.
 *
 * `subscriptions` has a row for each contract: `subscription_id`, the customer, `plan`, `started_on` and `ended_on` (days;
 * null while it runs) and `end_reason` (null while it runs): see `readSubscriptions`. `contacts` has a row for each contact:
 * the customer, `contacted_on` (day) and `reason`; left out, there are no columns of contacts. Contacts outside every month under contract
 * are left out.
 *
 * Columns: `subscription_id`, `customer`, `plan`, `age` (number of the renewal at its end, from 1), `from` and `renewal` (days
 * since 1970-01-01), `left` (1 if it was not renewed at the end, 0 if it was, null if the renewal is not due yet),
 * `end_reason` (null unless left), and `contacts_…` for each reason: contacts in that month. Rows in the order of the
 * subscriptions, then by age.
 * @throws DataError if a column is missing or a value is bad, an end is no renewal date, a subscription has two rows, or no
 * contact is of a subscriber; RangeError if the first or last day is no day, or they are out of order.
 * @see Allison (1982), Discrete-Time Methods for the Analysis of Event Histories, Sociological Methodology 13; Singer &
 * Willett (1993), It's About Time, J. Educational Statistics 18(2).
 */
export function contractMonths(
  subscriptions: ColumnTable,
  contacts: ColumnTable | undefined,
  options: ContractMonthOptions,
): ColumnTable {
  const place = "subscriptions";
  const lastDay = requireDay("lastDay", options.lastDay);
  const firstDay =
    options.firstDay === undefined ? Number.NEGATIVE_INFINITY : requireDay("firstDay", options.firstDay);
  if (firstDay > lastDay) {
    throw new RangeError(`firstDay must not be after lastDay ${options.lastDay}, got ${options.firstDay}`);
  }
  const ids = valueColumn(subscriptions, "subscription_id", place);
  const seen = new Set<unknown>();
  for (const [row, id] of ids.entries()) {
    if (seen.has(id)) {
      throw new DataError(
        `${place}: subscription_id in row ${row + 1} must stand in one row only, got ${describe(id)} again`,
      );
    }
    seen.add(id);
  }
  const customers = idColumn(subscriptions, options.customer ?? "customer_key", place);
  const plans = textColumn(subscriptions, "plan", place);
  const starts = dayColumn(subscriptions, "started_on", place);
  const ends = valueColumn(subscriptions, "ended_on", place);
  const endReasons = valueColumn(subscriptions, "end_reason", place);
  const { reasons, byCustomer } = contactsByCustomer(contacts, options, lastDay);
  if (byCustomer.size > 0 && !customers.some((customer) => byCustomer.has(String(customer)))) {
    const [stranger] = byCustomer.keys();
    throw new DataError(
      `contacts: some customer must have a subscription, but none has; contacts name ${describe(stranger)}, subscriptions ${describe(String(customers[0]))}`,
    );
  }
  const months = {
    subscription_id: [] as unknown[],
    customer: [] as unknown[],
    plan: [] as string[],
    age: [] as number[],
    from: [] as number[],
    renewal: [] as number[],
    left: [] as (number | null)[],
    end_reason: [] as unknown[],
  };
  const counts = reasons.map((): number[] => []);
  for (const [row, start] of starts.entries()) {
    const known = endOf(ends[row], row) ?? Number.POSITIVE_INFINITY;
    const end = known > lastDay ? Number.POSITIVE_INFINITY : known;
    const own = byCustomer.get(String(customers[row])) ?? [];
    let from = start;
    let isLast = false;
    for (let age = 1, renewal = start; from <= lastDay && !isLast; age++, from = renewal) {
      renewal = monthsLater(start, age);
      isLast = renewal === end;
      if (renewal > end) {
        throw new DataError(
          `${place}: ended_on in row ${row + 1} must be a renewal date of the contract started on ${isoDay(start)}, such as ${isoDay(renewal)}, got ${isoDay(end)}`,
        );
      }
      if (from < firstDay) continue;
      months.subscription_id.push(ids[row]);
      months.customer.push(customers[row]);
      months.plan.push(plans[row] as string);
      months.age.push(age);
      months.from.push(from);
      months.renewal.push(renewal);
      months.left.push(renewal > lastDay ? null : Number(isLast));
      months.end_reason.push(isLast ? endReasons[row] : null);
      for (const column of counts) column.push(0);
      const at = months.age.length - 1;
      for (const { day, reason } of own) {
        const column = counts[reason];
        if (column && day >= from && day < renewal) column[at] = (column[at] as number) + 1;
      }
    }
  }
  if (months.age.length === 0) {
    const since =
      options.firstDay === undefined ? "" : ` and run through a month that began from ${options.firstDay} on`;
    throw new DataError(`${place}: at least one must have started by ${options.lastDay}${since}, got none`);
  }
  return table({
    ...months,
    ...Object.fromEntries(reasons.map((reason, code) => [`${CONTACTS}${reason}`, counts[code] as number[]])),
  });
}

interface Contact {
  readonly day: number;
  /** Place among the reasons, -1 for one that gets no column. */
  readonly reason: number;
}

/** Contacts of each customer up to the last day. */
function contactsByCustomer(
  contacts: ColumnTable | undefined,
  options: ContractMonthOptions,
  lastDay: number,
): { readonly reasons: readonly string[]; readonly byCustomer: ReadonlyMap<string, readonly Contact[]> } {
  const byCustomer = new Map<string, Contact[]>();
  if (!contacts) return { reasons: options.reasons ?? [], byCustomer };
  const customers = idColumn(contacts, options.customer ?? "customer_key", "contacts");
  const days = dayColumn(contacts, "contacted_on", "contacts");
  const texts = textColumn(contacts, "reason", "contacts");
  const reasons = options.reasons ?? [...new Set(texts)].sort(compareIds);
  const codes = new Map(reasons.map((reason, code) => [reason, code]));
  for (const [row, day] of days.entries()) {
    if (day > lastDay) continue;
    const customer = String(customers[row]);
    const contact = { day, reason: codes.get(texts[row] as string) ?? -1 };
    const own = byCustomer.get(customer);
    if (own) own.push(contact);
    else byCustomer.set(customer, [contact]);
  }
  return { reasons, byCustomer };
}

/** Day of an end, undefined while the contract runs. */
function endOf(value: unknown, row: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const day = dayOf(value);
  if (day !== undefined) return day;
  throw new DataError(
    `subscriptions: ended_on in row ${row + 1} must be a day, or null while it runs, got ${describe(value)}`,
  );
}

/** How to fit a churn score. */
export interface ChurnScoreOptions extends Pick<LogisticOptions, "penalty"> {
  /** First age of each band of ages that has its own hazard, rising from 1; 1, 2, 3, 4, 7 and 13 unless given. */
  readonly ageBands?: readonly number[];
  /** Counts only this end reason as leaving; months that end for another one are months in which nobody left so. */
  readonly endReason?: string;
}

/** A churn score: a discrete-time hazard of leaving by age, plan and contacts. */
export interface ChurnScoreFit extends LogisticFit {
  /** First age of each band; bands in which nobody or everybody left have been merged with the one before. */
  readonly ageBands: readonly number[];
  /** Plans; the first one is the reference. */
  readonly plans: readonly string[];
  /** Columns of contacts. */
  readonly contacts: readonly string[];
}

/**
 * Churn score from contract months (see `contractMonths`): logistic regression of leaving at the end of a month on the band
 * of its age, the plan and the contacts in it, over the months whose end is known. Errors are clustered by subscription.
 * @throws DataError if a column is missing or bad; RangeError if the age bands are bad; ConvergenceError as `fitLogistic`.
 * @see Allison (1982), Discrete-Time Methods for the Analysis of Event Histories, Sociological Methodology 13.
 */
export function fitChurnScore(months: ColumnTable, options: ChurnScoreOptions = {}): ChurnScoreFit {
  const { ageBands = [1, 2, 3, 4, 7, 13], endReason, penalty = 0 } = options;
  if (
    ageBands[0] !== 1 ||
    ageBands.some((age, i) => !Number.isInteger(age) || age <= (ageBands[i - 1] ?? 0))
  ) {
    throw new RangeError(`ageBands must be rising whole numbers from 1, got ${ageBands.join(", ")}`);
  }
  const left = valueColumn(months, "left", PLACE);
  const reasons = valueColumn(months, "end_reason", PLACE);
  const known = left.flatMap((value, row) => (value === null || value === undefined ? [] : [row]));
  const outcome = known.map((row) => Number(left[row] === 1 && (endReason ?? reasons[row]) === reasons[row]));
  const ages = ageColumn(months);
  const bands = mergedBands(
    ageBands,
    known.map((row) => ages[row] as number),
    outcome,
  );
  const planOf = textColumn(months, "plan", PLACE);
  const plans = [...new Set(known.map((row) => planOf[row] as string))].sort(compareIds);
  const contacts = months.columnNames().filter((name) => name.startsWith(CONTACTS));
  const design = { ageBands: bands, plans, contacts };
  const subscriptions = valueColumn(months, "subscription_id", PLACE).map(String);
  const fit = fitLogistic(outcome, covariatesOf(months, known, design), {
    penalty,
    cluster: known.map((row) => subscriptions[row] as string),
  });
  return Object.freeze({ ...fit, ...design });
}

/**
 * Churn scores of the contracts that run: the probability to leave at the next renewal, by the contacts so far; until the
 * month is over, more of them may come.
 * Columns: `subscription_id`, `customer`, `plan`, `age`, `renewal` (day of the next renewal) and `probability`; highest first.
 * @throws DataError if a column is missing or bad, a plan is not one of the fit, or no contract runs.
 */
export function churnScores(fit: ChurnScoreFit, months: ColumnTable): ColumnTable {
  const left = valueColumn(months, "left", PLACE);
  const running = left.flatMap((value, row) => (value === null || value === undefined ? [row] : []));
  if (running.length === 0) throw new DataError(`${PLACE}: at least one contract must run, got none`);
  const probability = predictProbability(fit, covariatesOf(months, running, fit));
  const order = running
    .map((_, i) => i)
    .sort((i, j) => (probability[j] as number) - (probability[i] as number) || i - j);
  const column = (name: string): unknown[] => {
    const values = valueColumn(months, name, PLACE);
    return order.map((i) => values[running[i] as number]);
  };
  return table({
    ...Object.fromEntries(
      ["subscription_id", "customer", "plan", "age", "renewal"].map((name) => [name, column(name)]),
    ),
    probability: order.map((i) => probability[i] as number),
  });
}

const PLACE = "contract months";

const ageColumn = (months: ColumnTable): Float64Array => numberColumn(months, "age", PLACE, 1);

/** Place of the band that an age is in. */
const bandOf = (bands: readonly number[], age: number): number =>
  bands.filter((first) => first <= age).length - 1;

/** Bands of ages in each of which somebody left and somebody stayed. */
function mergedBands(
  bands: readonly number[],
  ages: readonly number[],
  outcome: readonly number[],
): readonly number[] {
  let merged = bands;
  for (let band = merged.length - 1; band >= 0; band--) {
    const own = outcome.filter((_, i) => bandOf(merged, ages[i] as number) === band);
    const isMixed = own.includes(0) && own.includes(1);
    if (!isMixed && merged.length > 1) merged = merged.filter((_, i) => i !== Math.max(band, 1));
  }
  return merged;
}

function covariatesOf(
  months: ColumnTable,
  rows: readonly number[],
  { ageBands, plans, contacts }: Pick<ChurnScoreFit, "ageBands" | "plans" | "contacts">,
): CovariateColumns {
  const ages = ageColumn(months);
  const planOf = textColumn(months, "plan", PLACE);
  const stranger = rows.find((row) => !plans.includes(planOf[row] as string));
  if (stranger !== undefined) {
    throw new DataError(
      `${PLACE}: plan in row ${stranger + 1} must be one of ${plans.join(", ")}, got ${describe(planOf[stranger])}`,
    );
  }
  const bandDummies = ageBands.slice(1).map((first, i): [string, number[]] => {
    const before = ageBands[i + 2];
    const name =
      before === undefined ? `${first}+` : before === first + 1 ? `${first}` : `${first}-${before - 1}`;
    return [`age=${name}`, rows.map((row) => Number(bandOf(ageBands, ages[row] as number) === i + 1))];
  });
  const planDummies = plans
    .slice(1)
    .map((plan): [string, number[]] => [`plan=${plan}`, rows.map((row) => Number(planOf[row] === plan))]);
  const counts = contacts.map((name): [string, number[]] => {
    const column = numberColumn(months, name, PLACE, 0);
    return [name, rows.map((row) => column[row] as number)];
  });
  return Object.fromEntries([...bandDummies, ...planDummies, ...counts]);
}
