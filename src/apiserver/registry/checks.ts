/**
 * Steps that validation is written with. A check is a generator of what is wrong, so checks are put together with
 * `yield*`; a strategy's `validate` spreads them into a list.
 */
import type { meta } from '../../api/index.ts'
import type { FieldError, Path } from '../../machinery/field.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { inRange, labelValue, qualifiedName, validateLabels, type NameRule } from '../../machinery/names.ts'

export type Check = Generator<FieldError, void, undefined>
export type Errors = Iterable<FieldError>

/** The value keeps a rule for texts; what it has wrong is `Invalid value`. */
export function* follows(at: Path, value: string, rule: NameRule): Check {
  for (const why of rule(value)) yield at.invalid(value, why)
}

/** A text that must be there and keep a rule. */
export function* named(at: Path, value: string | undefined, rule?: NameRule): Check {
  if (!value) yield at.required()
  else if (rule) yield* follows(at, value, rule)
}

/** One of a closed set; an absent value is `Required value`. */
export function* oneOfThese(at: Path, value: string | undefined, supported: readonly string[]): Check {
  if (!value) yield at.required()
  else yield* ifThere(at, value, supported)
}

/** One of a closed set, if it is there at all. */
export function* ifThere(at: Path, value: string | undefined, supported: readonly string[]): Check {
  if (value !== undefined && !supported.includes(value)) yield at.notSupported(value, supported)
}

export function* notNegative(at: Path, value: number | undefined): Check {
  if (value !== undefined && value < 0) yield at.invalid(value, 'must be greater than or equal to 0')
}

export function* positive(at: Path, value: number | undefined): Check {
  if (value !== undefined && value <= 0) yield at.invalid(value, 'must be greater than zero')
}

export function* within(at: Path, value: number | undefined, low: number, high: number): Check {
  if (value !== undefined) for (const why of inRange(value, low, high)) yield at.invalid(value, why)
}

export const port = (at: Path, value: number | undefined): Check => within(at, value, 1, 65535)

/** The field says the same as before. */
export function* unchanged(at: Path, next: unknown, current: unknown, why = 'field is immutable'): Check {
  if (!deepEqual(next ?? null, current ?? null)) yield at.invalid(next ?? null, why)
}

/** Runs a check on each item, with the item's path. */
export function* forEach<L extends readonly unknown[]>(at: Path, items: L | undefined, check: (item: L[number], at: Path) => Errors): Check {
  for (const [i, item] of (items ?? []).entries()) yield* check(item, at.index(i))
}

/** No two items have the same `key`; what is reported stands at `field` of the later one. */
export function* distinct<L extends readonly unknown[]>(at: Path, items: L | undefined, key: (item: L[number]) => string | undefined, field = ''): Check {
  const seen = new Set<string>()
  for (const [i, item] of (items ?? []).entries()) {
    const value = key(item)
    if (!value) continue
    if (seen.has(value)) yield field ? at.index(i).at(field).duplicate(value) : at.index(i).duplicate(value)
    seen.add(value)
  }
}

/** Exactly one of the named parts of a union is there. Later ones are refused where they stand; none at all, at the union. */
export function* exactlyOne(at: Path, parts: Readonly<Record<string, unknown>>, words: { readonly none: string; readonly many: string }): Check {
  const there = Object.keys(parts).filter((name) => parts[name] !== undefined)
  if (there.length === 0) yield at.required(words.none)
  for (const name of there.slice(1)) yield at.at(name).forbidden(words.many)
}

/** A selector of labels, as it stands in an object. */
export function* selector(at: Path, value: meta.LabelSelector | undefined): Check {
  if (!value) return
  yield* validateLabels(value.matchLabels, at.at('matchLabels'))
  yield* forEach(at.at('matchExpressions'), value.matchExpressions, selectorRequirement)
}

function* selectorRequirement({ key, operator, values = [] }: meta.LabelSelectorRequirement, at: Path): Check {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) yield at.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) yield at.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else yield at.at('operator').invalid(operator, 'not a valid selector operator')
  yield* follows(at.at('key'), key, qualifiedName)
  yield* forEach(at.at('values'), values, (value, place) => follows(place, value, labelValue))
}

/** Whether a selector is there and selects nothing in particular. */
export const selectsAll = (value: meta.LabelSelector | undefined): boolean =>
  Object.keys(value?.matchLabels ?? {}).length === 0 && (value?.matchExpressions ?? []).length === 0
