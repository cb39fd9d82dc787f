export { type Attribution, type AttributionRule, attribute } from "./acquisition/attribution.js";
export {
  type AcquisitionCostOptions,
  acquisitionCosts,
  type CostStatus,
  poissonInterval,
} from "./acquisition/cost.js";
export {
  type Ceiling,
  ceilingOf,
  type Estimate,
  type IntervalOptions as ResponseIntervalOptions,
  marginalCost,
  responseEstimate,
} from "./acquisition/marginal-cost.js";
export {
  type Payback,
  type PaybackTerms,
  payback,
  type ValueToCost,
  type ValueToCostTerms,
  valueToCost,
} from "./acquisition/payback.js";
export {
  type CurveForm,
  curveForm,
  curveFromCeiling,
  decisionCalculus,
  marginalResponse,
  type Pool,
  type ResponseCurve,
  type ResponseFunctions,
  type ResponseJudgement,
  responseAt,
  responseFunctions,
  spendFor,
} from "./acquisition/response-curve.js";
export {
  compareResponseShapes,
  fitResponseCurve,
  type ResponseData,
  type ResponseFit,
  type ResponseFitOptions,
  responseSummary,
  type ShapeComparison,
  simulateResponse,
} from "./acquisition/response-fit.js";
export type { ResponseShape } from "./acquisition/response-shapes.js";
export { type TouchPath, touchPaths } from "./acquisition/touch-paths.js";
export {
  acquisitionCostFigure,
  monthlyAcquisitionCostFigure,
  paybackFigure,
  responseCurveFigure,
  type WorthInterval,
} from "./charts/acquisition.js";
export {
  allocationFigure,
  balanceFigure,
  equityTornadoFigure,
  equityTreeFigure,
  frontierFigure,
} from "./charts/balance.js";
export {
  dataQualityFigure,
  monthlyRevenueFigure,
  servingValueFigure,
  type WaterfallStep,
  waterfallFigure,
} from "./charts/business.js";
export {
  aliveHistoryFigure,
  customerEquityLorenzFigure,
  type ForecastText,
  forecastIntervalFigure,
  frequencyRecencyFigure,
  heterogeneityFigure,
  likelihoodContourFigure,
  probabilityAliveFigure,
  segmentEquityFigure,
} from "./charts/clv.js";
export {
  type CalibrationText,
  calibrationHistogramFigure,
  calibrationSlopeFigure,
  type GainsText,
  gainsFigure,
  holdoutByFrequencyFigure,
  type LeaderboardText,
  leaderboardFigure,
  type TrackingText,
  trackingFigure,
} from "./charts/clv-validation.js";
export { type CohortText, cohortHeatMapFigure, cohortRevenueFigure } from "./charts/cohorts.js";
export { levelBalanceFigure, levelOverlapFigure, powerFigure } from "./charts/design.js";
export type { Figure, Layout, Trace } from "./charts/figure.js";
export {
  reliabilityFigure,
  type SavedCurveText,
  savedCurveFigure,
  targetingFigure,
  upliftFigure,
} from "./charts/intervention.js";
export { migrationFlowFigure, stateForecastFigure, transitionFigure } from "./charts/migration.js";
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
export {
  covariateEffectFigure,
  incidenceFigure,
  survivalCalibrationFigure,
  survivalFigure,
  type TimeText,
} from "./charts/survival.js";
export { type FigureText, palette, percent, thousands, wrapTitle } from "./charts/theme.js";
export {
  classChoiceFigure,
  importanceFigure,
  lineFrontierFigure,
  marketSharesFigure,
  partWorthsFigure,
  priceResponseFigure,
  utilitiesMapFigure,
  willingnessToPayFigure,
} from "./charts/tradeoff.js";
export {
  type AccuracyOptions,
  type ForecastAccuracy,
  type ForecastScores,
  forecastAccuracy,
  gainsCurve,
  predictionDeciles,
  type TieRule,
} from "./clv/accuracy.js";
export {
  type BdwFit,
  type BdwParameters,
  bdwDiscountedResidualLifetime,
  bdwLogLikelihood,
  bdwObjective,
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
  bgbbObjective,
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
export { buyingModel } from "./clv/buying-models.js";
export {
  type PurchaseCells,
  type PurchaseCustomer,
  type PurchaseHistories,
  purchaseCells,
} from "./clv/cells.js";
export { type ClockEvent, clockDay, clockLength, type PurchaseClock } from "./clv/clock.js";
export { survivorsByCohort } from "./clv/cohort-survivors.js";
export {
  type ContractModel,
  fitPooledChurn,
  forecastCohorts,
  type PooledChurnFit,
  type Pooling,
} from "./clv/contract-pooling.js";
export {
  type ContractBaseValue,
  type RenewalTerms,
  sbgBaseValue,
  sbgRetentionEffect,
  sbgRetentionElasticity,
} from "./clv/contract-retention.js";
export { bdwPresentPayments, type ContractTerms, sbgPresentPayments } from "./clv/contract-value.js";
export {
  explainFit,
  type FitExplanation,
  type InfluentialCell,
  type LikelihoodSurface,
  likelihoodSurface,
  type ProfileInterval,
  profileInterval,
  type SimplerFit,
  type SurfaceOptions,
} from "./clv/convergence-doctor.js";
export {
  type Coefficient,
  type CovariateFit,
  type Covariates,
  type CovariateValues,
  fitWithCovariates,
  parametersFor,
} from "./clv/covariates.js";
export {
  type DiagnoseOptions,
  diagnosePurchases,
  type PurchaseCheck,
  type PurchaseDiagnosis,
  type PurchaseFinding,
} from "./clv/data-doctor.js";
export { customerEquity, type EquityInput } from "./clv/equity.js";
export type { Identification, ModelFit } from "./clv/fit.js";
export { type CustomerForecasts, type ForecastOptions, forecastCustomers } from "./clv/forecast.js";
export {
  fitGammaGamma,
  type GammaGammaParameters,
  gammaGammaExpectedSpend,
  gammaGammaLogLikelihood,
  gammaGammaObjective,
  type MeanSpends,
  simulateGammaGamma,
} from "./clv/gamma-gamma.js";
export {
  bestHiatus,
  type Forecaster,
  hiatusRule,
  type KnownCustomers,
  lastPeriodRepeats,
  managerHeuristics,
  meanOfAll,
  modelForecaster,
  ownPastRate,
  type Rehearsal,
  topDecileRule,
} from "./clv/heuristics.js";
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
  type CustomerOutcomes,
  drawOutcomes,
  probabilityAbove,
  type RankCertainty,
  rankCertainty,
} from "./clv/outcomes.js";
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
export {
  type PurchaseColumns,
  type PurchaseSummaryOptions,
  returnCounts,
  summarisePurchases,
} from "./clv/purchase-summary.js";
export type { ReturnCounts, ReturnRule } from "./clv/returns.js";
export {
  admissibleModels,
  type CustomerSetting,
  type ModelRouting,
  requireRightWords,
} from "./clv/routing.js";
export { type SeasonalClock, type SeasonalClockOptions, seasonalClock } from "./clv/seasonal-clock.js";
export {
  fitShiftedBetaGeometric,
  type SbgParameters,
  type Survivors,
  sbgDiscountedResidualLifetime,
  sbgLogLikelihood,
  sbgObjective,
  sbgRetentionRates,
  sbgSurvivalCurve,
} from "./clv/shifted-beta-geometric.js";
export {
  type FitToSummarise,
  type InformationCriteria,
  informationCriteria,
  likelihoodRatioTest,
  summary,
} from "./clv/summary.js";
export { historiesOf, repeatSpends } from "./clv/summary-columns.js";
export {
  type HoldoutData,
  holdoutFromLog,
  holdoutFromTable,
  type RollingOriginOptions,
  type RollingOriginResult,
  rollingOrigin,
  type TournamentMetric,
  type TournamentOptions,
  type TournamentResult,
  tournament,
} from "./clv/tournament.js";
export {
  type BootstrapRun,
  bootstrapDraws,
  type ColumnIntervals,
  equalTailed,
  intervalOf,
  intervalsOf,
  type ParameterDraws,
  posteriorDraws,
  type QuantityInterval,
} from "./clv/uncertainty.js";
export {
  type ActualTrackingOptions,
  type AliveHistory,
  actualTracking,
  aliveHistory,
  type CustomerMatrix,
  calibrationHistogram,
  type FittedModel,
  frequencyRecencyMatrix,
  heterogeneity,
  holdoutByFrequency,
  type MatrixOptions,
  probabilityAliveMatrix,
  type Tracking,
  type TrackingGrid,
  type TraitDensity,
  trackingTable,
  trackPurchases,
} from "./clv/validation.js";
export {
  customerLifetimeValues,
  presentPurchases,
  type ValuedCustomers,
  type ValueTerms,
} from "./clv/value.js";
export type { CovariateColumns } from "./core/covariates.js";
export { dayNumber, isoDay, isoMonth, monthNumber, weekday } from "./core/day.js";
export { ConvergenceError, DataError } from "./core/errors.js";
export type { CalendarPeriod } from "./core/period.js";
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
export {
  type Absorption,
  absorption,
  type FirstPassage,
  firstPassage,
  type MarkovChain,
  type ShareMatrix,
  stationaryDistribution,
} from "./migration/chain.js";
export { forecastStates, type StateForecast, type StateForecastOptions } from "./migration/forecast.js";
export {
  type ChainTest,
  type OrderTest,
  orderTest,
  type StationarityTest,
  stationarityTest,
} from "./migration/homogeneity.js";
export {
  type CustomerStates,
  type LabelStateOptions,
  type RecencyStateOptions,
  type SpendStateOptions,
  type SpendTier,
  type StateLogOptions,
  statesByLabel,
  statesByRecency,
  statesBySpend,
} from "./migration/states.js";
export {
  type BootstrapTransitionOptions,
  bootstrapTransitions,
  drawTransitionMatrix,
  type TransitionBootstrap,
  type TransitionCounts,
  type TransitionMatrix,
  type TransitionOptions,
  transitionCounts,
  transitionMatrix,
} from "./migration/transitions.js";
export {
  type BestPolicy,
  bestPolicy,
  type MarkovAction,
  type MarkovTerms,
  type MarkovValueInterval,
  markovValue,
  markovValueInterval,
  type PolicyProblem,
  policyValue,
  valueOfMove,
} from "./migration/value.js";
export { type Minimum, minimise, minimiseFrom, type Objective } from "./numeric/minimise.js";
export { minimiseNewton } from "./numeric/newton.js";
export { quantileType7 } from "./numeric/quantile.js";
export { haltonPoints, type ScrambledSobol, scrambledSobol, sobolPoints } from "./numeric/quasi-random.js";
export { type Random, randomSource } from "./numeric/random.js";
export { drawBeta, drawBinomial, drawMultinomial, drawPoisson } from "./numeric/sampling.js";
export { exponentialIntegral, normalQuantile } from "./numeric/special.js";
export { chiSquareTail } from "./numeric/tail-probability.js";
export { runInWorkers, type WorkerJob } from "./numeric/worker-pool.js";
export * from "./repository/index.js";
export {
  type AcceleratedFailure,
  type AcceleratedFailureFit,
  acceleratedQuantile,
  acceleratedSurvival,
  fitAcceleratedFailure,
  type LifetimeDistribution,
  type SimulatedLifetimes,
  simulateLifetimes,
} from "./retention/accelerated-failure.js";
export {
  type BaseElasticities,
  type BaseValue,
  baseValueElasticities,
  type CustomerBase,
  cumulativeCustomers,
  customerBaseValue,
  type Diffusion,
  type DiffusionFit,
  fitDiffusion,
  newCustomers,
} from "./retention/base-value.js";
export {
  type BergerNasrCase,
  bergerNasrValue,
  type ChangingProfit,
  type CustomerMigration,
  type ProfitByTenure,
  type RecencyChain,
  recencyChain,
  type SaleEveryFewYears,
  type SeveralSalesAYear,
  type YearlySales,
} from "./retention/berger-nasr.js";
export {
  type CohortComparison,
  type CohortMeasure,
  type CohortOptions,
  type CohortTriangle,
  type ComparedCohorts,
  cohortTable,
  cohortTriangle,
  compareCohorts,
} from "./retention/cohorts.js";
export {
  type CauseIncidence,
  type CompetingRisksData,
  type CumulativeIncidence,
  cumulativeIncidence,
  type FineGrayFit,
  type FineGrayOptions,
  fitFineGray,
  predictIncidence,
} from "./retention/competing-risks.js";
export {
  type BaselineHazard,
  type ChiSquareTest,
  type Concordance,
  type CoxFit,
  type CoxOptions,
  fitCox,
  type HazardCoefficients,
  type ProportionalHazards,
  predictCumulativeHazard,
  predictSurvival,
  relativeLogHazard,
  type StratumChoice,
  type Ties,
} from "./retention/cox.js";
export {
  type CoxResiduals,
  coxResiduals,
  type ProportionalHazardsTest,
  proportionalHazardsTest,
  type SchoenfeldResiduals,
  schoenfeldResiduals,
  type TimeTransform,
} from "./retention/cox-diagnostics.js";
export {
  type EpisodeOptions,
  runningCounts,
  type SurvivalEpisodes,
  survivalEpisodes,
} from "./retention/episodes.js";
export {
  type CovariateEffect,
  covariateEffects,
  type SurvivalFit,
  survivalSummary,
} from "./retention/hazard-summary.js";
export {
  type ConfidenceScale,
  type CumulativeHazard,
  conditionalSurvival,
  type IntervalOptions,
  kaplanMeier,
  kaplanMeierByStratum,
  medianSurvival,
  nelsonAalen,
  restrictedMeanSurvival,
  type SurvivalCurve,
  type SurvivalEstimate,
  type SurvivalQuantile,
  survivalAt,
  survivalQuantile,
} from "./retention/kaplan-meier.js";
export { type LogRankTest, type LogRankWeights, logRankTest } from "./retention/log-rank.js";
export {
  type BaseEffect,
  type RetentionEffects,
  retentionEffectBySegment,
  type SegmentEconomics,
} from "./retention/retention-rate.js";
export { survivalBrierScore, survivalCalibration } from "./retention/survival-calibration.js";
export type { SurvivalData } from "./retention/survival-data.js";
export {
  type ConstantCustomer,
  constantRetentionValue,
  expectedLifetimeAnnuity,
  marginMultiple,
  type PaymentConvention,
  retentionEffect,
} from "./retention/value-arithmetic.js";
export * from "./samples/index.js";
export {
  type ChurnScoreFit,
  type ChurnScoreOptions,
  type ContractMonthOptions,
  churnScores,
  contractMonths,
  fitChurnScore,
} from "./scoring/contract-months.js";
export {
  type CoefficientTest,
  dummies,
  fitLogistic,
  type LogisticFit,
  type LogisticModel,
  type LogisticOptions,
  predictProbability,
} from "./scoring/logistic.js";
export { logisticSummary } from "./scoring/logistic-summary.js";
export {
  type BrierScore,
  brierScore,
  type Calibration,
  calibrationOf,
  logLoss,
  type RocArea,
  reliabilityTable,
  rocArea,
  type ScoreQuality,
  scoreQuality,
  wilsonInterval,
} from "./scoring/score-quality.js";
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
  type BalanceIntervals,
  type BalanceOptimum,
  type BalanceSpec,
  type BalanceSpends,
  balanceIntervals,
  balanceSummary,
  blattbergDeighton,
  type DrawnInterval,
  equityPerProspect,
  marginalRate,
  type RateCurve,
  rateAt,
  rateCurve,
  valueWhenAcquired,
  type WhatIfGrid,
  whatIf,
} from "./strategy/balance.js";
export {
  type Allocation,
  type AllocationOptions,
  acquisitionUse,
  adbudgResponse,
  allocateBudget,
  frontier,
  type GroupAllocation,
  type GroupBounds,
  type NextEuros,
  type NextUse,
  nextEuros,
  type Response as SpendResponse,
  rateResponse,
  retentionUse,
  type SpendChange,
  spendChanges,
  type Use,
  type UseAllocation,
} from "./strategy/budget.js";
export {
  type CustomerEquitySpec,
  customerEquityTree,
  type EquityFormula,
  type EquityNode,
  type EquitySegment,
  type EquitySensitivity,
  equitySensitivities,
  nodeValue,
  type SensitivityOptions,
} from "./strategy/customer-equity-tree.js";
export {
  type ArmPrior,
  type GroupSizes,
  holdoutProfit,
  holdoutSize,
  minimumDetectableEffect,
  type ProportionMethod,
  proportionPower,
  proportionSampleSize,
  type TestOptions,
  type TestPlan,
  type TwoRates,
  testAndRoll,
} from "./strategy/holdout-design.js";
export {
  type ChurnCampaign,
  type ContactedGroup,
  compareTargeting,
  contactBalance,
  expectedMaximumProfit,
  maximumProfitCutoff,
  type OfferCandidates,
  type OfferCosts,
  type OfferPlan,
  offerProfit,
  type ProfitCutoff,
  type TargetingComparison,
  type TargetingOptimum,
  whoGetsAnOffer,
} from "./strategy/intervention.js";
export {
  allocateJointly,
  type JointAllocation,
  type JointSegment,
  type JointSegmentAllocation,
} from "./strategy/joint-budget.js";
export {
  type AmountArm,
  fitSavedCurve,
  type SavedCurveFit,
  type SavedCurveInterval,
  type SavedCurveIntervalOptions,
  type SavedCurveParameters,
  savedCurveInterval,
  savedShare,
  stayRate,
} from "./strategy/saved-curve.js";
export {
  type ArmUplift,
  type Difference,
  type TrialArm,
  type UpliftTrial,
  upliftFromTrial,
} from "./strategy/trial-uplift.js";
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
export {
  type Misprint,
  misprinted,
  type Proof,
  type ProofRow,
  proof,
  proofFigure,
  proofTable,
  publishedAtInferred,
  publishedMaximum,
  publishedNumbers,
  requireProof,
  type Verdict,
} from "./study/proof.js";
export { markdown, type Showable, type ShowOptions, show } from "./study/show.js";
export { type Parameter, type StudyRecord, type StudySpec, study, studyRecord } from "./study/study.js";
export type { ColumnView, TableView } from "./study/table-view.js";
export {
  type AttributeDeclaration,
  attributeLevels,
  type CodingOptions,
  codeProfiles,
  decodePartWorths,
  defineAttributes,
  type Level,
  type LevelCoding,
  type LevelUtility,
  type Profile,
  type SurveyAttributes,
} from "./tradeoff/attributes.js";
export {
  type BenefitSegment,
  benefitSegments,
  customerValues,
  productsBySegment,
  type SegmentProduct,
} from "./tradeoff/benefit-segments.js";
export { type Chains, essBulk, essTail, rHat } from "./tradeoff/chain-diagnostics.js";
export type { AttributeColumns, ChoiceRows } from "./tradeoff/choice-data.js";
export { type ChoiceFit, choiceSummary } from "./tradeoff/choice-summary.js";
export {
  type ConditionalLogitFit,
  type ConditionalLogitOptions,
  choiceProbabilities,
  fitConditionalLogit,
  type UtilityCoefficients,
} from "./tradeoff/conditional-logit.js";
export {
  type ChoiceTask,
  choiceTasks,
  type DesignRules,
  fullFactorial,
  randomDesign,
  type SurveyDesign,
  withRepeatedTask,
} from "./tradeoff/design.js";
export {
  type DesignEfficiency,
  designEfficiency,
  drawPriors,
  type EfficiencyOptions,
  expectedStandardErrors,
  type PriorCoefficients,
} from "./tradeoff/design-efficiency.js";
export { type OrthogonalPlan, orthogonalPlan, shiftedDesign } from "./tradeoff/design-orthogonal.js";
export {
  type CoefficientPower,
  type DesignReport,
  designReport,
  type LevelBalance,
  type LevelOverlap,
  type PairBalance,
  type PowerAnalysis,
  type PowerOptions,
  type PowerPoint,
  powerBySimulation,
  ruleOfThumbRespondents,
} from "./tradeoff/design-report.js";
export { type DesignSearchOptions, type EfficientDesign, efficientDesign } from "./tradeoff/design-search.js";
export type { DesignSize, Overlap } from "./tradeoff/design-tasks.js";
export {
  type DepthTest,
  depthTests,
  type ExplodedChoices,
  type ExplosionOptions,
  explodedChoices,
  fitExplodedLogit,
  type RankingRows,
} from "./tradeoff/exploded-logit.js";
export {
  checkFieldwork,
  choicesFromAnswers,
  type FieldworkCheck,
  type FieldworkOptions,
  keepRespondents,
  type OddReason,
  type OddRespondent,
  oddRespondentsTable,
  type SurveyAnswers,
} from "./tradeoff/fieldwork.js";
export {
  fitHierarchicalBayes,
  type HierarchicalBayesFit,
  type HierarchicalBayesOptions,
  type HierarchicalBayesPriors,
  type PosteriorSummary,
} from "./tradeoff/hierarchical-bayes.js";
export {
  type HoldoutAccuracy,
  type HoldoutMeasure,
  type HoldoutOptions,
  type HoldoutShare,
  type HoldoutShares,
  holdoutAccuracy,
  holdoutShares,
} from "./tradeoff/holdout.js";
export {
  type AttributeImportance,
  attributeImportance,
  pooledImportance,
  posteriorImportance,
} from "./tradeoff/importance.js";
export {
  type ClassChoice,
  type ClassCount,
  chooseClasses,
  fitLatentClassLogit,
  type LatentClassFit,
  type LatentClassOptions,
} from "./tradeoff/latent-class.js";
export {
  type ClassMembers,
  classMembership,
  classPartWorths,
  type LatentClassPredictionOptions,
  latentClassProbabilities,
} from "./tradeoff/latent-class-prediction.js";
export type { ChoiceClass, ClassParameters } from "./tradeoff/latent-class-report.js";
export type { LatentClassSearchOptions } from "./tradeoff/latent-class-search.js";
export {
  type LevelMoney,
  type Market,
  type MarketOptions,
  marketOf,
  type ProductSpec,
} from "./tradeoff/market.js";
export {
  type BestPrice,
  type ExponentTuning,
  type MarketSensitivityOptions,
  type MarketValue,
  marketValue,
  type PriceElasticities,
  type PricePoint,
  type PriceQuestion,
  type PriceResponse,
  priceElasticities,
  priceResponse,
  type Sensitivity,
  type SourceOfVolume,
  sensitivity,
  sourceOfVolume,
  tuneExponent,
} from "./tradeoff/market-response.js";
export {
  fitMaxDiff,
  fitMaxDiffHierarchicalBayes,
  type Item,
  type MaxDiffCount,
  type MaxDiffFit,
  type MaxDiffHierarchicalBayesFit,
  type MaxDiffModelOptions,
  type MaxDiffOptions,
  type MaxDiffRows,
  maxDiffChoices,
  maxDiffCounts,
  preferenceShares,
} from "./tradeoff/max-diff.js";
export {
  fitMixedLogit,
  type MixedLogitFit,
  type MixedLogitOptions,
  type MixedLogitProgress,
} from "./tradeoff/mixed-logit.js";
export {
  drawTastes,
  individualCoefficients,
  type MixedLogitPartWorths,
  type MixedLogitPredictionOptions,
  type MixedWillingnessToPay,
  type MixedWillingnessToPayResult,
  mixedLogitProbabilities,
  mixedWillingnessToPay,
} from "./tradeoff/mixed-logit-prediction.js";
export {
  type MixedLogitStability,
  mixedLogitStability,
  type StabilityOptions,
} from "./tradeoff/mixed-logit-stability.js";
export {
  type DrawOptions,
  type MixedLogitParameters,
  type TasteDistribution,
  type TastePopulation,
  tastePopulation,
} from "./tradeoff/mixed-logit-tastes.js";
export {
  fitNestedLogit,
  type NestedLogitFit,
  type NestedLogitOptions,
  type NestedLogitParameters,
  nestedLogitProbabilities,
} from "./tradeoff/nested-logit.js";
export {
  type AttributeLevel,
  type AttributeLevels,
  categoricalAttribute,
  type LevelSummary,
  type LevelUtilities,
  levelUtilities,
  linearAttribute,
  type PartWorths,
  pooledLevels,
  pooledPartWorths,
  posteriorLevels,
  type ResamplingOptions,
  summariseLevels,
  zeroCentredDifferences,
} from "./tradeoff/part-worths.js";
export {
  type LineCandidate,
  type LineFrontier,
  type LineObjective,
  type LineProblem,
  type LineProduct,
  type LineRule,
  type LineSearch,
  type LineSearchOptions,
  type ProductLine,
  productLineFrontier,
  searchProductLine,
} from "./tradeoff/product-line.js";
export {
  designFromQuestionnaire,
  type QuestionnaireText,
  questionnaireHtml,
  questionnaireTable,
} from "./tradeoff/questionnaire.js";
export {
  fitRatingsConjoint,
  type MonotoneOrder,
  type PooledRatings,
  type RatingRows,
  type RatingsConjointFit,
  type RatingsConjointOptions,
  type RespondentRatings,
} from "./tradeoff/ratings-conjoint.js";
export {
  type ChoiceRule,
  type MarketShare,
  type MarketSimulation,
  type SimulationOptions,
  simulateMarket,
} from "./tradeoff/simulator.js";
export { type ConstantCalibration, calibrateConstants } from "./tradeoff/simulator-constants.js";
export { choicesFromWide, type WideChoiceOptions } from "./tradeoff/wide-choices.js";
export {
  type WillingnessToPay,
  type WillingnessToPayResult,
  willingnessToPay,
} from "./tradeoff/willingness-to-pay.js";
export {
  fitWillingnessToPaySpace,
  type WillingnessToPaySpaceFit,
} from "./tradeoff/willingness-to-pay-space.js";
