/** Defects due on a person: the persons of every block of 1,000 are dealt out in a fixed order. */
export function dueOn<Defect extends string>(
  perThousand: Readonly<Record<Defect, number>>,
  index: number,
): Defect[] {
  const slot = (index * 7) % 1000; // 7 and 1000 share no factor: every slot comes once in a block
  let start = 0;
  for (const [defect, count] of Object.entries<number>(perThousand)) {
    if (slot >= start && slot < start + count) return [defect as Defect];
    start += count;
  }
  return [];
}
