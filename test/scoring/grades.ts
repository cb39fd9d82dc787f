/**
 * Whether a grade improved (GRADE), grade point average (GPA), score of a test before the course (TUCE) and participation in
 * a new method of teaching (PSI) of 32 students: Spector & Mazzeo (1980), Probit Analysis and Economic Education, J. Economic
 * Education 11(2), printed in Greene, Econometric Analysis.
 */
const rows: readonly (readonly [gpa: number, tuce: number, psi: number, grade: number])[] = [
  [2.66, 20, 0, 0],
  [2.89, 22, 0, 0],
  [3.28, 24, 0, 0],
  [2.92, 12, 0, 0],
  [4.0, 21, 0, 1],
  [2.86, 17, 0, 0],
  [2.76, 17, 0, 0],
  [2.87, 21, 0, 0],
  [3.03, 25, 0, 0],
  [3.92, 29, 0, 1],
  [2.63, 20, 0, 0],
  [3.32, 23, 0, 0],
  [3.57, 23, 0, 0],
  [3.26, 25, 0, 1],
  [3.53, 26, 0, 0],
  [2.74, 19, 0, 0],
  [2.75, 25, 0, 0],
  [2.83, 19, 0, 0],
  [3.12, 23, 1, 0],
  [3.16, 25, 1, 1],
  [2.06, 22, 1, 0],
  [3.62, 28, 1, 1],
  [2.89, 14, 1, 0],
  [3.51, 26, 1, 0],
  [3.54, 24, 1, 1],
  [2.83, 27, 1, 1],
  [3.39, 17, 1, 1],
  [2.67, 24, 1, 0],
  [3.65, 21, 1, 1],
  [4.0, 23, 1, 1],
  [3.1, 21, 1, 0],
  [2.39, 19, 1, 1],
];

export const grades = rows.map(([, , , grade]) => grade);
export const students = {
  GPA: rows.map(([gpa]) => gpa),
  TUCE: rows.map(([, tuce]) => tuce),
  PSI: rows.map(([, , psi]) => psi),
};
