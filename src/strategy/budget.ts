import { type ColumnTable, table } from "arquero";
import { requireOneOf } from "../core/arguments.js";
import {
  type DrawnInterval,
  intervalOf,
  type RateCurve,
  rateOf,
  requireCurve,
  requireDraws,
  requireSpend,
  slopeOf,
} from "./balance.js";

/** What a spend brings, in customers, shares or money, with the change of it. */
export interface Response {
  /** What a spend brings. */
  readonly response: (spend: number) => number;
  /** What one more unit of money brings: the derivative of the response. */
  readonly marginal: (spend: number) => number;
  /** Spend up to which returns increase (an S-shaped response); left out if they fall from the first unit of money on. */
  readonly inflection?: number;
}

/** A way to spend money: what it brings must not depend on what is spent elsewhere. */
export interface Use {
  /** Name that no other use has. */
  readonly name: string;
  /** Segment of customers or prospects that it reaches. */
  readonly segment: string;
  /** Channel or purpose that the money goes to. */
  readonly channel: string;
  /** Money that a spend brings, before the spend itself. */
  readonly value: (spend: number) => number;
  /** Money that one more unit of spend brings: the derivative of the value. */
  readonly marginal: (spend: number) => number;
  /** Spend up to which the marginal value rises; left out if it falls from the lower bound on. */
  readonly inflection?: number;
  /** Least spend; 0 if left out. */
  readonly lower?: number;
  /** Largest spend; none if left out. */
  readonly upper?: number;
  /** Name of the group whose bounds count for this use too. */
  readonly group?: string;
}

/** Bounds of what the uses of a group get together. */
export interface GroupBounds {
  /** Least spend; 0 if left out. */
  readonly lower?: number;
  /** Largest spend; none if left out. */
  readonly upper?: number;
}

/** What to maximise, and within which bounds. */
export interface AllocationOptions {
  /** "net value", value less spend, unless given: money that brings less than itself stays unspent. "value" spends on. */
  readonly objective?: "net value" | "value";
  /** Bounds by group. */
  readonly groups?: Readonly<Record<string, GroupBounds>>;
}

/** What one use gets. */
export interface UseAllocation {
  readonly name: string;
  readonly segment: string;
  readonly channel: string;
  /** Money it gets. */
  readonly spend: number;
  /** Money that this brings, before the spend. */
  readonly value: number;
  /** Money that one more unit of spend would bring. */
  readonly marginal: number;
  /** Which of its own bounds it has reached. */
  readonly bound: "none" | "lower" | "upper";
}

/** What a group of uses gets. */
export interface GroupAllocation {
  readonly name: string;
  /** Money its uses get together. */
  readonly spend: number;
  /** Which of its bounds binds. */
  readonly bound: "none" | "lower" | "upper";
  /** What one more unit of money is worth inside the group, in terms of the objective. */
  readonly shadowPrice: number;
}

/** The best division of a budget. */
export interface Allocation {
  readonly uses: readonly UseAllocation[];
  readonly groups: readonly GroupAllocation[];
  readonly budget: number;
  /** Money spent. */
  readonly spend: number;
  /** Money left. */
  readonly slack: number;
  /** Money that the spend brings, before the spend. */
  readonly value: number;
  /** Value less spend. */
  readonly netValue: number;
  readonly objective: "net value" | "value";
  /** What one more unit of budget adds to the objective; 0 if money is left. */
  readonly shadowPrice: number;
  /** Why no more is spent. */
  readonly stoppedBy: "the budget" | "more would not pay" | "upper bounds";
  /** How much better than this, in terms of the objective, any division can be at most; 0 where returns fall everywhere. */
  readonly gap: number;
}

/** The response of one prospect or customer that a curve of rates describes. @throws RangeError if it is not possible. */
export function rateResponse(curve: RateCurve): Response {
  requireCurve("curve", curve);
  return { response: (spend) => rateOf(curve, spend), marginal: (spend) => slopeOf(curve, spend) };
}

/**
 * S-shaped response ceiling x^c / (h^c + x^c): half of the ceiling at the spend h; returns increase up to
 * h ((c - 1) / (c + 1))^(1 / c), and fall from the start if c is 1.
 * @throws RangeError if ceiling or halfway are not above 0, or the steepness c is below 1 (then the first unit of money would
 * bring infinitely much).
 * @see Little (1970), Models and Managers: The Concept of a Decision Calculus, Management Science 16(8) (ADBUDG).
 */
export function adbudgResponse(spec: {
  /** What unlimited spending brings. */
  readonly ceiling: number;
  /** h: spend that brings half of it, money. */
  readonly halfway: number;
  /** c: 1 for returns that fall everywhere, more for an S. */
  readonly steepness: number;
}): Response {
  const { ceiling, halfway, steepness } = spec;
  for (const [name, value] of Object.entries({ ceiling, halfway })) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} must be a number above 0, got ${value}`);
    }
  }
  if (!(steepness >= 1 && Number.isFinite(steepness))) {
    throw new RangeError(`steepness must be a number from 1 up, got ${steepness}`);
  }
  const odds = (spend: number): number => (spend / halfway) ** steepness;
  return {
    response: (spend) => ceiling / (1 + 1 / odds(spend)),
    marginal: (spend) => {
      const u = odds(spend);
      return u > 1 // neither form overflows on its side
        ? (ceiling * steepness) / spend / (1 + u) / (1 + 1 / u)
        : (((ceiling * steepness) / halfway) * (spend / halfway) ** (steepness - 1)) / (1 + u) ** 2;
    },
    ...(steepness > 1 && {
      inflection: halfway * ((steepness - 1) / (steepness + 1)) ** (1 / steepness),
    }),
  };
}

/** What names and bounds a use. */
type UseTerms = Pick<Use, "name" | "segment" | "channel" | "lower" | "upper" | "group">;

/**
 * Money spent on prospects: `prospects` x response of the spend per prospect x what an acquired customer is worth (its
 * expected lifetime value before acquisition spend).
 * @throws RangeError if there are no prospects, or the value per customer is below 0 or no number.
 */
export function acquisitionUse(
  terms: UseTerms & {
    /** Prospects that the spend is divided among. */
    readonly prospects: number;
    /** Share acquired, by spend per prospect. */
    readonly curve: Response;
    /** Money. */
    readonly valuePerCustomer: number;
  },
): Use {
  const { prospects, curve, valuePerCustomer, ...rest } = terms;
  return useOf(rest, curve, ["prospects", prospects], ["valuePerCustomer", valuePerCustomer]);
}

/**
 * Money spent on customers: `customers` x retention at the spend per customer x what a customer who stays is worth.
 * @throws RangeError if there are no customers, or the value is below 0 or no number.
 */
export function retentionUse(
  terms: UseTerms & {
    /** Customers that the spend is divided among. */
    readonly customers: number;
    /** Share who stay, by spend per customer. */
    readonly retention: Response;
    /** Money. */
    readonly valueOfRetained: number;
  },
): Use {
  const { customers, retention, valueOfRetained, ...rest } = terms;
  return useOf(rest, retention, ["customers", customers], ["valueOfRetained", valueOfRetained]);
}

function useOf(
  terms: UseTerms,
  { response, marginal, inflection }: Response,
  [countName, count]: readonly [string, number],
  [worthName, worth]: readonly [string, number],
): Use {
  if (!(count > 0 && Number.isFinite(count))) {
    throw new RangeError(`${countName} of "${terms.name}" must be a number above 0, got ${count}`);
  }
  if (!(worth >= 0 && Number.isFinite(worth))) {
    const remedy = worth < 0 ? ": nothing spent on it pays, leave it out" : "";
    throw new RangeError(`${worthName} of "${terms.name}" must be a number from 0 up, got ${worth}${remedy}`);
  }
  return {
    ...terms,
    value: (spend) => count * worth * response(spend / count),
    marginal: (spend) => worth * marginal(spend / count),
    ...(inflection !== undefined && { inflection: inflection * count }),
  };
}

/** A use on an interval of spends, with the least concave curve above its value there. */
interface Stretch {
  readonly use: Use;
  readonly low: number;
  readonly high: number;
  /** Up to here the concave curve is a straight line from the value at `low`; from here on it is the use's own value. */
  readonly bend: number;
  /** Slope of that line. */
  readonly slope: number;
}

/** Uses with bounds on what they get together. */
interface Club {
  readonly name: string;
  readonly lower: number;
  readonly upper: number;
  /** Places of its uses in the list. */
  readonly members: readonly number[];
}

/** Whether a club's bound binds, and the marginal value at which its uses stop. */
interface ClubPrice {
  readonly bound: GroupAllocation["bound"];
  readonly price: number;
}

/** A division of money among stretches. */
interface Division {
  readonly spends: readonly number[];
  /** The marginal value at which the stretches ask for that much. */
  readonly price: number;
  readonly clubs: readonly ClubPrice[];
}

const MOST_BRANCHES = 2000;
const CLOSE_ENOUGH = 1e-10; // of the objective: branches stop when no division can be better by more

/**
 * Divides a budget so that it brings the most: each use gets money until its marginal value has fallen to one price, the
 * shadow price of the budget (plus the unit of money itself if the objective is net value). The price is found by bisection to
 * the last digit, the spend of each use at a price likewise, since marginal values fall. A use whose returns first increase
 * (`inflection`) enters by its concave envelope, and branch and bound on its spend closes the gap between the two: exact to
 * 1e-10 of the objective, or, where 2,000 branches do not suffice, with the remaining `gap` stated. Groups do not overlap, so
 * that a group whose bound binds is a budget of its own.
 * @throws RangeError if the budget is below 0 or below the lower bounds, a use has a name twice or bounds that cross, a
 * group is unknown, a use is infinitely steep at its lower bound (as a "power" curve is at 0), or a use's marginal value is
 * not that of its value or rises where it must fall: the message names it.
 * @see Luss & Gupta (1975), Allocation of Effort Resources among Competing Activities, Operations Research 23(2), for the
 * price; Land & Doig (1960), Econometrica 28(3), for branch and bound.
 */
export function allocateBudget(
  uses: readonly Use[],
  budget: number,
  options: AllocationOptions = {},
): Allocation {
  requireSpend("budget", budget);
  const { objective = "net value", groups = {} } = options;
  requireOneOf("objective", objective, ["net value", "value"]);
  const unit = objective === "net value" ? 1 : 0;
  const clubs = readClubs(uses, groups);
  const node = (stretches: readonly Stretch[]) => {
    const division = divide(stretches, clubs, budget, unit);
    const at = (i: number): number => division.spends[i] as number;
    const excess = stretches.map((part, i) => Math.max(0, envelope(part, at(i)) - part.use.value(at(i))));
    const reached = sumOf(stretches.map(({ use }, i) => use.value(at(i)) - unit * at(i)));
    return { stretches, division, excess, reached, bound: reached + sumOf(excess) };
  };
  let best = node(readStretches(uses, clubs, budget));
  let open = [best];
  let gap = 0;
  for (let branches = 0; ; branches++) {
    const [first] = open;
    if (first === undefined) break;
    const top = open.reduce((most, each) => (each.bound > most.bound ? each : most), first);
    gap = top.bound - best.reached;
    const scale = Math.abs(best.reached) + sumOf(best.division.spends);
    if (gap <= CLOSE_ENOUGH * scale || branches === MOST_BRANCHES) break;
    gap = 0;
    const place = top.excess.indexOf(Math.max(...top.excess));
    const { use, low, high } = top.stretches[place] as Stretch;
    const middle = top.division.spends[place] as number;
    const halves = [stretchOf(use, low, middle), stretchOf(use, middle, high)]
      .map((half) => top.stretches.map((part, i) => (i === place ? half : part)))
      .filter((stretches) => isPossible(stretches, clubs, budget))
      .map(node);
    best = halves.reduce((most, each) => (each.reached > most.reached ? each : most), best);
    open = [...open.filter((each) => each !== top), ...halves].filter(({ bound }) => bound > best.reached);
  }
  const { spends, price } = best.division;
  const spend = sumOf(spends);
  const value = sumOf(uses.map((use, i) => use.value(spends[i] as number)));
  const allocated = uses.map((use, i) => allocatedTo(use, spends[i] as number));
  const isFull = uses.every(({ upper = Number.POSITIVE_INFINITY, group }, i) => {
    const club = clubs.findIndex(({ name }) => name === group);
    return (spends[i] as number) >= upper || best.division.clubs[club]?.bound === "upper";
  });
  const left = isFull ? "upper bounds" : "more would not pay";
  const isSpent = price > unit;
  return Object.freeze({
    uses: allocated,
    groups: clubs.map(({ name, members }, club) => {
      const { bound, price: inside } = best.division.clubs[club] as ClubPrice;
      return { name, spend: sumAt(spends, members), bound, shadowPrice: inside - unit };
    }),
    budget,
    spend,
    slack: isSpent ? 0 : Math.max(0, budget - spend),
    value,
    netValue: value - spend,
    objective,
    shadowPrice: price - unit,
    stoppedBy: isSpent ? "the budget" : left,
    gap,
  });
}

function allocatedTo(use: Use, spend: number): UseAllocation {
  const { name, segment, channel, lower = 0, upper = Number.POSITIVE_INFINITY } = use;
  const atBound = spend >= upper ? "upper" : "none";
  const bound = spend <= lower ? "lower" : atBound;
  return { name, segment, channel, spend, value: use.value(spend), marginal: use.marginal(spend), bound };
}

/**
 * What the stretches get if each is filled until its marginal value is the price, the clubs kept within their bounds: at the
 * lowest price, not below `floor`, at which that is no more than the amount. Where a straight line makes the demand jump at
 * the price, the stretches get what is left in proportion to their jumps, which is worth the same however it is divided.
 */
function divide(
  stretches: readonly Stretch[],
  clubs: readonly Club[],
  amount: number,
  floor: number,
): Division {
  const apart = clubs.flatMap(({ members }) => members);
  const alone = [...stretches.keys()].filter((i) => !apart.includes(i));
  const demand = (spends: readonly number[]): number =>
    sumAt(spends, alone) + sumOf(clubs.map((club) => within(club, sumAt(spends, club.members))));
  let high = Math.max(floor, ...stretches.map(firstPrice));
  let few: readonly number[] = stretches.map((part) => part.low);
  const isForced = floor === Number.NEGATIVE_INFINITY; // all of the amount must go, whatever it brings
  let low = isForced ? Math.min(high, ...stretches.map(lastPrice)) : floor;
  let more: readonly number[] = stretches.map((part) =>
    isForced ? part.high : spendAt(part, floor, part.low, part.high),
  );
  if (demand(more) <= amount) {
    few = more;
    high = low;
  }
  for (;;) {
    const price = (low + high) / 2;
    if (!(price > low && price < high)) break;
    const spends = stretches.map((part, i) => spendAt(part, price, few[i] as number, more[i] as number));
    if (demand(spends) > amount) {
      low = price;
      more = spends;
    } else {
      high = price;
      few = spends;
    }
  }
  const [least, most] = [demand(few), demand(more)];
  const share = most > least ? Math.min(1, Math.max(0, (amount - least) / (most - least))) : 0;
  const between = (a: number, b: number): number => a + share * (b - a);
  const spends = few.map((spend, i) => between(spend, more[i] as number));
  const prices = clubs.map((club): ClubPrice => {
    const { lower, upper, members } = club;
    const [fewest, largest] = [sumAt(few, members), sumAt(more, members)];
    if (fewest >= lower && largest <= upper) return { bound: "none", price: high };
    const mine = members.map((i) => stretches[i] as Stretch);
    const own = divide(
      mine,
      [],
      between(within(club, fewest), within(club, largest)),
      Number.NEGATIVE_INFINITY,
    );
    for (const [place, i] of members.entries()) spends[i] = own.spends[place] as number;
    const atLower = largest < lower ? "lower" : "none";
    return { bound: fewest > upper ? "upper" : atLower, price: own.price };
  });
  return { spends, price: high, clubs: prices };
}

const within = ({ lower, upper }: Club, spend: number): number => Math.min(upper, Math.max(lower, spend));

/** The price from which on the stretch asks for no more than its low end. */
const firstPrice = ({ use, low, bend, slope }: Stretch): number => (bend > low ? slope : use.marginal(low));

/** The price below which it asks for its high end. */
const lastPrice = ({ use, low, high, bend, slope }: Stretch): number =>
  high > low && bend === high ? slope : use.marginal(high);

/** The least spend in [from, to] from which on the concave curve rises no faster than the price. */
function spendAt({ use, low, bend, slope }: Stretch, price: number, from: number, to: number): number {
  if (bend > low && price >= slope) return low;
  let [left, right] = [Math.max(from, bend), Math.max(to, bend)];
  if (!(use.marginal(left) > price)) return left;
  if (use.marginal(right) > price) return right;
  for (;;) {
    const middle = (left + right) / 2;
    if (!(middle > left && middle < right)) return right;
    if (use.marginal(middle) > price) left = middle;
    else right = middle;
  }
}

/** The least concave curve above the value of a use on [low, high]: a line from the low end to where it touches the curve. */
function stretchOf(use: Use, low: number, high: number): Stretch {
  const { inflection = 0 } = use;
  if (low >= inflection || low === high) return { use, low, high, bend: low, slope: 0 };
  const start = use.value(low);
  const passes = (spend: number): boolean => use.value(spend) - start > use.marginal(spend) * (spend - low);
  let [left, right] = [Math.min(inflection, high), high];
  if (passes(right)) {
    for (;;) {
      const middle = (left + right) / 2;
      if (!(middle > left && middle < right)) break;
      if (passes(middle)) right = middle;
      else left = middle;
    }
  }
  return { use, low, high, bend: right, slope: (use.value(right) - start) / (right - low) };
}

const envelope = ({ use, low, bend, slope }: Stretch, spend: number): number =>
  spend < bend ? use.value(low) + slope * (spend - low) : use.value(spend);

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const sumAt = (values: readonly number[], places: readonly number[]): number =>
  places.reduce((sum, place) => sum + (values[place] as number), 0);

/** The least that must be spent. */
const leastOf = (lows: readonly number[], clubs: readonly Club[]): number =>
  sumOf(lows) + sumOf(clubs.map(({ lower, members }) => Math.max(0, lower - sumAt(lows, members))));

/** Whether the bounds leave a division. */
function isPossible(stretches: readonly Stretch[], clubs: readonly Club[], budget: number): boolean {
  const lows = stretches.map(({ low }) => low);
  const highs = stretches.map(({ high }) => high);
  return (
    leastOf(lows, clubs) <= budget &&
    clubs.every(
      ({ lower, upper, members }) => sumAt(lows, members) <= upper && sumAt(highs, members) >= lower,
    )
  );
}

function readClubs(uses: readonly Use[], groups: Readonly<Record<string, GroupBounds>>): Club[] {
  if (uses.length === 0) throw new RangeError("uses must hold at least one use, got none");
  const names = uses.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new RangeError(`uses must have different names, got "${twice}" twice`);
  for (const { name, group } of uses) {
    if (group !== undefined && !Object.hasOwn(groups, group)) {
      const known = Object.keys(groups).join(", ") || "none";
      throw new RangeError(`group of use "${name}" must be one of the groups (${known}), got "${group}"`);
    }
  }
  return Object.entries(groups).map(([name, bounds]) => {
    const { lower, upper } = readBounds(`group "${name}"`, bounds);
    const members = [...uses.keys()].filter((i) => uses[i]?.group === name);
    const [lows, highs] = [
      sumOf(members.map((i) => uses[i]?.lower ?? 0)),
      sumOf(members.map((i) => uses[i]?.upper ?? Number.POSITIVE_INFINITY)),
    ];
    if (lows > upper || highs < lower) {
      throw new RangeError(
        `group "${name}" must have bounds that its uses can meet: they take ${lows} to ${highs}, got ${lower} to ${upper}`,
      );
    }
    return { name, lower, upper, members };
  });
}

function readBounds(
  owner: string,
  { lower = 0, upper = Number.POSITIVE_INFINITY }: GroupBounds,
): Required<GroupBounds> {
  requireSpend(`lower of ${owner}`, lower);
  if (!(upper >= lower)) {
    throw new RangeError(`upper of ${owner} must be a number from its lower ${lower} up, got ${upper}`);
  }
  return { lower, upper };
}

function readStretches(uses: readonly Use[], clubs: readonly Club[], budget: number): Stretch[] {
  const bounds = uses.map((use) => readBounds(`use "${use.name}"`, use));
  const lows = bounds.map(({ lower }) => lower);
  const least = leastOf(lows, clubs);
  if (least > budget) {
    throw new RangeError(`budget must be at least the lower bounds together, ${least}, got ${budget}`);
  }
  const room = Math.max(1, 2 * (budget - sumOf(lows))); // beyond the budget, so that the budget and not the search ends there
  return uses.map((use, i) => {
    const { lower, upper } = bounds[i] as Required<GroupBounds>;
    const high = Math.min(upper, lower + room);
    requireShape(use, lower, high);
    return stretchOf(use, lower, high);
  });
}

const LOOKS = 24; // spends at which the shape of a use is checked, denser near its lower end
const ROUNDING = 1e-9; // of the steepest marginal value: a smaller rise is none
const DIFFERENCE = 1e-5; // of it: differences of values are less exact

/** Refuses a use whose marginal value is not that of its value, or rises beyond its inflection or falls before. */
function requireShape(use: Use, low: number, high: number): void {
  const { name, inflection = low } = use;
  const spends = [
    ...Array.from({ length: LOOKS + 1 }, (_, look) => low + (high - low) * (look / LOOKS) ** 3),
    ...(inflection > low && inflection < high ? [inflection] : []),
  ].sort((a, b) => a - b);
  const looks = spends.map((spend) => ({ spend, value: use.value(spend), marginal: use.marginal(spend) }));
  for (const { spend, value, marginal } of looks) {
    if (Number.isFinite(value) && Number.isFinite(marginal)) continue;
    const remedy =
      marginal === Number.POSITIVE_INFINITY ? ": give it a lower bound above that, such as 1" : "";
    throw new RangeError(
      `use "${name}" must have a finite value and marginal value, got ${value} and ${marginal} at a spend of ${spend}${remedy}`,
    );
  }
  const steepest = Math.max(...looks.map(({ marginal }) => Math.abs(marginal)));
  for (const [place, right] of looks.slice(1).entries()) {
    const left = looks[place] as typeof right;
    const rises = right.spend <= inflection;
    if ((rises ? left.marginal - right.marginal : right.marginal - left.marginal) > ROUNDING * steepest) {
      const allowed = rises
        ? `a marginal value that rises up to its inflection ${inflection}`
        : `a marginal value that falls from a spend of ${inflection} on (name the inflection of an S-shaped use)`;
      throw new RangeError(
        `use "${name}" must have ${allowed}, got ${left.marginal} at ${left.spend} and ${right.marginal} at ${right.spend}`,
      );
    }
    const step = right.spend - left.spend;
    const rate = (right.value - left.value) / step;
    const slack = DIFFERENCE * steepest;
    const [least, most] = [left.marginal, right.marginal].sort((a, b) => a - b) as [number, number];
    if (step > 0 && (rate < least - slack || rate > most + slack)) {
      throw new RangeError(
        `marginal of use "${name}" must be the derivative of its value: between spends of ${left.spend} and ${right.spend} the value rises by ${rate} a unit, got marginal values of ${left.marginal} and ${right.marginal}`,
      );
    }
  }
}

/**
 * What each budget brings: columns `budget`, `spend`, `value`, `net_value`, `shadow_price` (what one more unit of it adds to
 * the objective) and `gap`.
 * @throws RangeError as `allocateBudget`, or if there are no budgets.
 */
export function frontier(
  uses: readonly Use[],
  budgets: readonly number[],
  options: AllocationOptions = {},
): ColumnTable {
  if (budgets.length === 0) throw new RangeError("budgets must hold at least one budget, got none");
  const best = budgets.map((budget) => allocateBudget(uses, budget, options));
  return table({
    budget: best.map(({ budget }) => budget),
    spend: best.map(({ spend }) => spend),
    value: best.map(({ value }) => value),
    net_value: best.map(({ netValue }) => netValue),
    shadow_price: best.map(({ shadowPrice }) => shadowPrice),
    gap: best.map(({ gap }) => gap),
  });
}

/** What changes for one use. */
export interface SpendChange {
  readonly name: string;
  readonly segment: string;
  readonly channel: string;
  /** Money it gets now. */
  readonly from: number;
  /** Money it gets then. */
  readonly to: number;
  /** Marginal value now. */
  readonly marginalBefore: number;
  /** Marginal value then. */
  readonly marginalAfter: number;
}

/**
 * An allocation beside what each use gets now, by name.
 * @throws RangeError if a use has no current spend, or one outside its bounds.
 */
export function spendChanges(
  uses: readonly Use[],
  current: Readonly<Record<string, number>>,
  allocation: Allocation,
): SpendChange[] {
  const from = currentSpends(uses, current);
  return allocation.uses.map(({ name, segment, channel, spend, marginal }, i) => ({
    name,
    segment,
    channel,
    from: from[i] as number,
    to: spend,
    marginalBefore: (uses[i] as Use).marginal(from[i] as number),
    marginalAfter: marginal,
  }));
}

function currentSpends(uses: readonly Use[], current: Readonly<Record<string, number>>): number[] {
  return uses.map(({ name, lower = 0, upper = Number.POSITIVE_INFINITY }) => {
    const spend = current[name];
    if (spend !== undefined && spend >= lower && spend <= upper) return spend;
    throw new RangeError(
      `current spend of "${name}" must be a number from ${lower} to ${upper}, got ${spend}`,
    );
  });
}

/** Where additional money goes. */
export interface NextUse extends SpendChange {
  /** Interval of the best `to` over the draws, if draws were given. */
  readonly interval?: DrawnInterval;
}

/** The best use of additional money. */
export interface NextEuros {
  readonly uses: readonly NextUse[];
  /** Additional money to divide. */
  readonly amount: number;
  /** How much of it is spent. */
  readonly spent: number;
  /** What the division adds to the objective over spending no more. */
  readonly gain: number;
  /** The same over raising all current spends (within their upper bounds) by one percentage; from nothing, by one amount. */
  readonly gainOverProportional: number;
  /** What one more unit of money would add to the objective. */
  readonly shadowPrice: number;
  /** Interval of the gain of this division over the draws, if draws were given. */
  readonly gainInterval?: DrawnInterval;
  /** Interval of the gain over the proportional division, if draws were given. */
  readonly gainOverProportionalInterval?: DrawnInterval;
}

/**
 * Where the next money should go, nothing being taken from what each use gets now: "where should the next 10,000 go?".
 * @throws RangeError as `allocateBudget`, if a use has no current spend or one outside its bounds, or the draws are fewer
 * than 20 or of other uses.
 */
export function nextEuros(
  uses: readonly Use[],
  current: Readonly<Record<string, number>>,
  amount: number,
  options: AllocationOptions & {
    /** The same uses, in the same order, under plausible parameters: for intervals. */
    readonly draws?: readonly (readonly Use[])[];
    /** Coverage of the intervals; 0.9 if left out. */
    readonly level?: number;
  } = {},
): NextEuros {
  const { draws, level = 0.9, ...terms } = options;
  requireSpend("amount", amount);
  const from = currentSpends(uses, current);
  const now = sumOf(from);
  const divideOver = (drawn: readonly Use[]): Allocation =>
    allocateBudget(
      drawn.map((use, i) => ({ ...use, lower: from[i] as number })),
      now + amount,
      terms,
    );
  const best = divideOver(uses);
  const to = best.uses.map(({ spend }) => spend);
  const proportional = uses.map(({ upper = Number.POSITIVE_INFINITY }, i) => {
    const spend = from[i] as number;
    return Math.min(upper, now === 0 ? amount / uses.length : spend * (1 + amount / now));
  });
  const unit = best.objective === "net value" ? 1 : 0;
  const worth = (drawn: readonly Use[], spends: readonly number[]): number =>
    sumOf(drawn.map((use, i) => use.value(spends[i] as number) - unit * (spends[i] as number)));
  const gains = (drawn: readonly Use[]) => {
    const reached = worth(drawn, to);
    return { gain: reached - worth(drawn, from), overProportional: reached - worth(drawn, proportional) };
  };
  const { gain, overProportional } = gains(uses);
  const intervals = draws && nextIntervals({ uses, draws, level, divideOver, gains });
  return Object.freeze({
    uses: spendChanges(uses, current, best).map((change, i) => ({
      ...change,
      ...(intervals && { interval: intervals.spends[i] as DrawnInterval }),
    })),
    amount,
    spent: best.spend - now,
    gain,
    gainOverProportional: overProportional,
    shadowPrice: best.shadowPrice,
    ...intervals?.gains,
  });
}

/** Intervals over the draws: of the best spends, and of what the division that was chosen gains. */
function nextIntervals(input: {
  readonly uses: readonly Use[];
  readonly draws: readonly (readonly Use[])[];
  readonly level: number;
  readonly divideOver: (drawn: readonly Use[]) => Allocation;
  readonly gains: (drawn: readonly Use[]) => { readonly gain: number; readonly overProportional: number };
}) {
  const { uses, draws, level, divideOver, gains } = input;
  requireDraws(draws.length, level);
  const names = uses.map(({ name }) => name).join(", ");
  for (const drawn of draws) {
    const others = drawn.map(({ name }) => name).join(", ");
    if (others !== names) throw new RangeError(`draws must hold the uses ${names}, got ${others}`);
  }
  const best = draws.map(divideOver);
  const gained = draws.map(gains);
  return {
    spends: uses.map((_, i) =>
      intervalOf(
        best.map((each) => each.uses[i]?.spend as number),
        level,
      ),
    ),
    gains: {
      gainInterval: intervalOf(
        gained.map(({ gain }) => gain),
        level,
      ),
      gainOverProportionalInterval: intervalOf(
        gained.map(({ overProportional }) => overProportional),
        level,
      ),
    },
  };
}
