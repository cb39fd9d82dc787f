/** The sample company: generated from known parameters and a seed, so that a lesson can compare estimate and truth. */
export {
  type Company,
  type CompanyTable,
  generateCompany,
  type SampleOptions,
  type SampleResult,
  type TextColumns,
  writeCompany,
  writeSample,
} from "./company.js";
export type { PlantedDefect } from "./customer.js";
export {
  loadClubTruth,
  loadCompany,
  loadRetentionTrialTruth,
  loadSubscriptionTruth,
  loadSurvey,
  loadSurveyTruth,
  loadTruth,
  type SurveyReports,
  type SurveyTable,
  surveyRules,
  surveyTables,
} from "./load.js";
export {
  type AcquisitionChannel,
  brenkamp,
  type ChannelResponse,
  type ClubDefect,
  type ClubParameters,
  type CompanyParameters,
  type ContactReason,
  type Defects,
  type Product,
  type RareDefect,
  type Region,
  type RetentionTrialParameters,
  type SalesChannel,
  type ServiceDefect,
  type ServiceParameters,
  type SubscriptionDefect,
  type SubscriptionParameters,
  type SubscriptionPlan,
  type SurveyDefect,
  type SurveyParameters,
  type SurveyProduct,
  type SurveySegment,
  sampleSeed,
} from "./parameters.js";
export { benefitSegmentChances } from "./survey.js";
export type {
  AcquisitionCohort,
  ClubIntake,
  CompanyTally,
  RetentionTrialArm,
  SurveyedSegment,
} from "./tally.js";
