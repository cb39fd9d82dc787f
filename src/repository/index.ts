/**
 * The customer repository: raw files in, checked tables and data marts out.
 *
 * ```ts
 * const warehouse = await open(":memory:");
 * const reports = await loadSources(warehouse, "data/brenkamp", { first: "2024-01-01", last: "2025-12-31" });
 * reports.orders.summary();            // what was rejected, where and why
 * const report = await buildRepository(warehouse);
 * const customers = await readCustomerSummary(warehouse); // arquero ColumnTable, one row a customer, money in EUR cents
 * await warehouse.close();
 * ```
 */
export type { CsvFormat } from "./csv.js";
export { concatFrames, type DanfoFrame, type DanfoGroups, fromDanfo, toDanfo } from "./danfo.js";
export type { Dialect } from "./dialect.js";
export { type OpenOptions, open } from "./duckdb.js";
export { type ColumnRules, type LoadOptions, loadCsv, loadParquet } from "./load.js";
export {
  type AcquisitionCells,
  acquisitionCell,
  clubMember,
  customerDay,
  customerSummary,
  factChoice,
  factClubOffer,
  factContact,
  factRetentionTrial,
  factSubscription,
  type Mart,
  readAcquisition,
  readChoices,
  readClub,
  readContacts,
  readCustomerDay,
  readCustomerSummary,
  readMart,
  readRetentionTrial,
  readSubscriptions,
} from "./marts.js";
export {
  describeFinding,
  type Finding,
  type QualityReport,
  type RuleCount,
  requireClean,
} from "./quality.js";
export {
  type ColumnRule,
  type DecimalMark,
  dayBetween,
  dayWritten,
  email,
  euros,
  integer,
  integerBetween,
  isoDate,
  monthBetween,
  nonNegativeEuros,
  nonZeroInteger,
  number,
  oneOf,
  optional,
  orMissing,
  type Parsed,
  personal,
  positiveEuros,
  positiveNumber,
  references,
  text,
} from "./rules.js";
export {
  buildRepository,
  type RepositoryOptions,
  type RepositoryReport,
  type ReturnsBooking,
} from "./schema.js";
export {
  type ActivityReports,
  type ActivityTable,
  activityRules,
  activityTables,
  loadActivities,
  loadProgrammes,
  loadSources,
  type Period,
  type ProgrammeReports,
  type ProgrammeTable,
  programmeRules,
  programmeTables,
  type RowRule,
  type SourceReports,
  type SourceTable,
  sourceRules,
  sourceTables,
  type TableRules,
} from "./sources.js";
export type { SqlValue } from "./sql.js";
export type {
  AppendRows,
  Column,
  ColumnBatch,
  Columns,
  ColumnType,
  FillTable,
  Parameters,
  TableSchema,
  Warehouse,
} from "./warehouse.js";
