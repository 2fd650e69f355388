/** Tolerations that come from several places, and which of them say the same. */
import type { core } from '../../api/index.ts'
import { deepEqual } from '../../machinery/meta.ts'

/** Without those that another one covers; of two that are equal the first stays. */
export function merged(all: readonly core.Toleration[]): readonly core.Toleration[] {
  const kept: core.Toleration[] = []
  for (const [i, one] of all.entries()) {
    const later = all.slice(i + 1)
    if (!kept.some((wide) => covers(wide, one)) && !later.some((wide) => !deepEqual(wide, one) && covers(wide, one))) kept.push(one)
  }
  return kept
}

/** Whether `wide` tolerates everything that `one` does. */
export function covers(wide: core.Toleration, one: core.Toleration): boolean {
  if (deepEqual(wide, one)) return true
  const anyKey = !wide.key && wide.operator === 'Exists'
  if ((one.key ?? '') !== (wide.key ?? '') && !anyKey) return false
  if (wide.effect && one.effect !== wide.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined && (one.tolerationSeconds === undefined || one.tolerationSeconds > wide.tolerationSeconds)) return false
  if (wide.operator === 'Exists') return true
  return (!wide.operator || wide.operator === 'Equal') && one.operator === 'Equal' && (one.value ?? '') === (wide.value ?? '')
}
