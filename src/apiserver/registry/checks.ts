/**
 * Steps that validation is written with. A check gives what is wrong, as a list or as a generator, so checks are put
 * together with `yield*`; a strategy's `validate` spreads them into a list. Small ones are lists: most find nothing.
 */
import type { meta } from '../../api/index.ts'
import type { FieldError, Path } from '../../machinery/field.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { dns1123Subdomain, inRange, labelValue, qualifiedName, validateLabels, type NameRule } from '../../machinery/names.ts'

export type Check = Generator<FieldError, void, undefined>
export type Errors = Iterable<FieldError>

/** Nothing is wrong: iterates without making anything. */
const done: IteratorReturnResult<void> = { done: true, value: undefined }
const noErrors: Iterator<FieldError, void> = { next: () => done }
export const none: Errors = { [Symbol.iterator]: () => noErrors }

/** The value keeps a rule for texts; what it has wrong is `Invalid value`. */
export function follows(at: Path, value: string, rule: NameRule): Errors {
  const problems = rule(value)
  return problems.length === 0 ? none : problems.map((why) => at.invalid(value, why))
}

/** A text that must be there and keep a rule. */
export function named(at: Path, value: string | undefined, rule?: NameRule): Errors {
  if (!value) return [at.required()]
  return rule ? follows(at, value, rule) : none
}

/** One of a closed set; an absent value is `Required value`. */
export const oneOfThese = (at: Path, value: string | undefined, supported: readonly string[]): Errors =>
  (value ? ifThere(at, value, supported) : [at.required()])

/** One of a closed set, if it is there at all. */
export const ifThere = (at: Path, value: string | undefined, supported: readonly string[]): Errors =>
  (value === undefined || supported.includes(value) ? none : [at.notSupported(value, supported)])

/** The name of a volume or device driver: a domain of at most 63 characters, in any case. */
export function* driverName(at: Path, value: string): Check {
  if (!value) return yield at.required()
  if (value.length > 63) yield at.tooLong(63)
  for (const why of dns1123Subdomain(value.toLowerCase())) yield at.invalid(value, why)
}

const reason = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/

/** Conditions of a status, in the form that all kinds of `meta/v1` conditions share. */
export function* conditions(at: Path, list: readonly meta.Condition[] | undefined): Check {
  yield* distinct(at, list, ({ type }) => type, 'type')
  yield* forEach(at, list, function* (condition, place) {
    yield* follows(place.at('type'), condition.type, qualifiedName)
    if (!['True', 'False', 'Unknown'].includes(condition.status)) yield place.at('status').notSupported(condition.status, ['False', 'True', 'Unknown'])
    if ((condition.observedGeneration ?? 0) < 0) yield place.at('observedGeneration').invalid(condition.observedGeneration, 'must be greater than or equal to zero')
    if (!condition.lastTransitionTime) yield place.at('lastTransitionTime').required('must be set')
    if (!condition.reason) yield place.at('reason').required('must be set')
    else if (!reason.test(condition.reason)) {
      yield place.at('reason').invalid(condition.reason, "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
        + "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')")
    }
    if (condition.reason.length > 1024) yield place.at('reason').tooLong(1024)
    if (Buffer.byteLength(condition.message) > 32 * 1024) yield place.at('message').tooLong(32 * 1024)
  })
}

export const notNegative = (at: Path, value: number | undefined): Errors =>
  (value !== undefined && value < 0 ? [at.invalid(value, 'must be greater than or equal to 0')] : none)

export const positive = (at: Path, value: number | undefined): Errors =>
  (value !== undefined && value <= 0 ? [at.invalid(value, 'must be greater than zero')] : none)

export const within = (at: Path, value: number | undefined, low: number, high: number): Errors =>
  (value === undefined ? none : inRange(value, low, high).map((why) => at.invalid(value, why)))

export const port = (at: Path, value: number | undefined): Errors => within(at, value, 1, 65535)

/** The field says the same as before. */
export const unchanged = (at: Path, next: unknown, current: unknown, why = 'field is immutable'): Errors =>
  (deepEqual(next ?? null, current ?? null) ? none : [at.invalid(next ?? null, why)])

/** Runs a check on each item, with the item's path. */
export function forEach<L extends readonly unknown[]>(at: Path, items: L | undefined, check: (item: L[number], at: Path) => Errors): Errors {
  return items === undefined || items.length === 0 ? none : eachOf(at, items, check)
}

function* eachOf<L extends readonly unknown[]>(at: Path, items: L, check: (item: L[number], at: Path) => Errors): Check {
  for (let i = 0; i < items.length; i++) yield* check(items[i], at.index(i))
}

/** No two items have the same `key`; what is reported stands at `field` of the later one. */
export function distinct<L extends readonly unknown[]>(at: Path, items: L | undefined, key: (item: L[number]) => string | undefined, field = ''): Errors {
  return items === undefined || items.length < 2 ? none : repeated(at, items, key, field)
}

function* repeated<L extends readonly unknown[]>(at: Path, items: L, key: (item: L[number]) => string | undefined, field: string): Check {
  const seen = new Set<string>()
  for (let i = 0; i < items.length; i++) {
    const value = key(items[i])
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
