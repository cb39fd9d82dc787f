export {
  dataQualityFigure,
  monthlyRevenueFigure,
  servingValueFigure,
  type WaterfallStep,
  waterfallFigure,
} from "./charts/business.js";
export type { Figure, Layout, Trace } from "./charts/figure.js";
export {
  decileFigure,
  lorenzFigure,
  type MoneyText,
  rfmDistributionFigure,
  segmentChannelFigure,
  segmentMapFigure,
  segmentShareFigure,
  topShareFigure,
} from "./charts/segmentation.js";
export { type FigureText, palette, percent, thousands, wrapTitle } from "./charts/theme.js";
export {
  type BdwFit,
  type BdwParameters,
  bdwLogLikelihood,
  bdwRetentionRates,
  bdwSurvivalCurve,
  fitBetaDiscreteWeibull,
  type LikelihoodRatioTest,
} from "./clv/beta-discrete-weibull.js";
export {
  type BgBbCustomer,
  type BgBbCustomers,
  type BgBbParameters,
  bgbbDiscountedPurchases,
  bgbbExpectedPurchases,
  bgbbLogLikelihood,
  bgbbNewCustomerPurchases,
  bgbbPosteriorBuyingProbability,
  bgbbProbabilityAlive,
  bgbbPurchaseDistribution,
  fitBgBb,
  simulateBgBb,
} from "./clv/bg-bb.js";
export {
  type BgNbdFit,
  type BgNbdParameters,
  bgCnbdK,
  bgNbd,
  bgNbdExpectedPurchases,
  bgNbdLogLikelihood,
  bgNbdNewCustomerPurchases,
  bgNbdProbabilityAlive,
  bgNbdPurchaseDistribution,
  type CnbdKFit,
  type CnbdKOptions,
  fitBgCnbdK,
  fitBgNbd,
  fitMbgCnbdK,
  fitMbgNbd,
  mbgCnbdK,
  mbgNbd,
  mbgNbdExpectedPurchases,
  mbgNbdLogLikelihood,
  mbgNbdNewCustomerPurchases,
  mbgNbdProbabilityAlive,
  mbgNbdPurchaseDistribution,
  purchaseRegularity,
  simulateBgNbd,
  simulateMbgNbd,
} from "./clv/bg-nbd.js";
export type {
  BuyingModel,
  CustomerRates,
  ParameterValues,
  SimulatedCustomers,
} from "./clv/buying-model.js";
export {
  type PurchaseCells,
  type PurchaseCustomer,
  type PurchaseHistories,
  purchaseCells,
} from "./clv/cells.js";
export type { Identification, ModelFit } from "./clv/fit.js";
export {
  fitGammaGamma,
  type GammaGammaParameters,
  gammaGammaExpectedSpend,
  gammaGammaLogLikelihood,
  type MeanSpends,
  simulateGammaGamma,
} from "./clv/gamma-gamma.js";
export {
  fitNbd,
  type NbdParameters,
  nbd,
  nbdExpectedPurchases,
  nbdLogLikelihood,
  nbdNewCustomerPurchases,
  nbdPurchaseDistribution,
  simulateNbd,
} from "./clv/nbd.js";
export {
  fitParetoNbd,
  type ParetoNbdParameters,
  paretoNbd,
  paretoNbdDiscountedPurchases,
  paretoNbdExpectedPurchases,
  paretoNbdLogLikelihood,
  paretoNbdNewCustomerPurchases,
  paretoNbdProbabilityAlive,
  paretoNbdPurchaseDistribution,
  simulateParetoNbd,
} from "./clv/pareto-nbd.js";
export { type PurchaseSummaryOptions, summarisePurchases } from "./clv/purchase-summary.js";
export {
  fitShiftedBetaGeometric,
  type SbgParameters,
  type Survivors,
  sbgDiscountedResidualLifetime,
  sbgLogLikelihood,
  sbgRetentionRates,
  sbgSurvivalCurve,
} from "./clv/shifted-beta-geometric.js";
export { dayNumber, isoDay, isoMonth, monthNumber, weekday } from "./core/day.js";
export { ConvergenceError, DataError } from "./core/errors.js";
export { numberColumn, textColumn } from "./core/table.js";
export {
  type Cents,
  type CustomerKey,
  cents,
  customerKey,
  type Duration,
  days,
  formatEuros,
  inDays,
  inWeeks,
  type TimeUnit,
  weeks,
} from "./core/types.js";
export { type Random, randomSource } from "./numeric/random.js";
export * from "./repository/index.js";
export * from "./samples/index.js";
export { type BacktestOptions, backtestSegments, segmentValues } from "./segmentation/backtest.js";
export { type BootstrapOptions, type Interval, meanInterval } from "./segmentation/bootstrap.js";
export {
  type ConcentrationOptions,
  gini,
  type LorenzCurve,
  lorenzCurve,
  type NegativeRule,
  revenueDeciles,
  topShare,
  topShareInterval,
} from "./segmentation/concentration.js";
export { profileSegments } from "./segmentation/profile.js";
export { quantileType7 } from "./segmentation/quantile.js";
export {
  type ReturnsRule,
  type RfmBounds,
  type RfmScores,
  type RfmScoring,
  type RfmTableOptions,
  rfmTable,
  scoreRfm,
} from "./segmentation/rfm.js";
export {
  assignSegments,
  defineSegments,
  type ScoreBlock,
  type ScoreRange,
  type Segment,
  type SegmentTable,
  segmentOf,
  standardSegments,
} from "./segmentation/segments.js";
export {
  type CheckResult,
  type CheckSpec,
  check,
  type Expected,
  type Mistake,
  type Outcome,
  type Tolerance,
} from "./study/check.js";
export type { MimeBundle, Renderable, Sink } from "./study/mime.js";
export { markdown, type Showable, type ShowOptions, show } from "./study/show.js";
export { type Parameter, type StudyRecord, type StudySpec, study, studyRecord } from "./study/study.js";
export type { ColumnView, TableView } from "./study/table-view.js";
