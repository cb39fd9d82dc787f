import { describe, it } from "vitest";
import { runBgBbCase } from "./bgbb.js";
import { type ReferenceCase, referenceCases, referenceDir } from "./case.js";
import { runClvCase } from "./clv.js";
import { runCohortCase } from "./cohort.js";
import { runConjointCase, runShareSimulation } from "./conjoint.js";
import { runHbCase } from "./hb.js";
import { runLatentClassMinivan } from "./latent-class.js";
import { runLogitCase } from "./logit.js";
import { runMaxDiffCase } from "./maxdiff.js";
import { runMigrationCase } from "./migration.js";
import { runFishingModels } from "./mixed-logit.js";
import { runMnlCase } from "./mnl.js";
import { runPowerCase } from "./power.js";
import { runRfmCase } from "./rfm.js";
import { runSbgCase } from "./sbg.js";
import { runSurvivalCase } from "./survival.js";

/**
 * Every case of the reference folder, dispatched on the prefix of its name. A new family is one line here and one file
 * beside this one; a case without a runner is listed as todo.
 */
const runners: Readonly<Record<string, (reference: ReferenceCase) => void>> = {
  clv: runClvCase,
  bgbb: runBgBbCase,
  cohort: runCohortCase,
  conjoint: runConjointCase,
  hb: runHbCase,
  logit: runLogitCase,
  maxdiff: runMaxDiffCase,
  migration: runMigrationCase,
  mnl: (reference) => {
    runMnlCase(reference);
    runShareSimulation(reference);
    runLatentClassMinivan(reference);
    runFishingModels(reference);
  },
  power: runPowerCase,
  rfm: runRfmCase,
  sbg: runSbgCase,
  survival: runSurvivalCase,
};

const cases = referenceCases();

if (cases.length === 0) {
  describe("reference cases", () => {
    it(`no cases at ${referenceDir}: set REFERENCE_DIR to check against peers`, ({ skip }) => {
      skip(`no reference cases at ${referenceDir}`);
    });
  });
}

for (const reference of cases) {
  const family = reference.name.split("_")[0] ?? "";
  const run = runners[family];
  if (run) {
    describe(reference.name, () => {
      run(reference);
    });
  } else {
    it.todo(reference.name);
  }
}
