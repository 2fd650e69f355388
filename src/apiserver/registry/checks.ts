/**
 * Building blocks of validation. A check is a function that reports what is wrong to the places of an object (`machinery/field.ts`); checks
 * are composed by calling each other, and errors are shown in the order in which they were reported.
 */
import type { meta } from '../../api/index.ts'
import type { Place } from '../../machinery/field.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { dns1123Subdomain, inRange, labelValue, qualifiedName, validateLabels, type NameRule } from '../../machinery/names.ts'

/** The text follows a rule; otherwise `Invalid value`. */
export function follows(at: Place, value: string, rule: NameRule): void {
  for (const why of rule(value)) at.invalid(value, why)
}

/** A required text that follows a rule. */
export function named(at: Place, value: string | undefined, rule?: NameRule): void {
  if (!value) at.required()
  else if (rule) follows(at, value, rule)
}

/** One of a closed set; an absent value is `Required value`. */
export function oneOfThese(at: Place, value: string | undefined, supported: readonly string[]): void {
  if (value) ifThere(at, value, supported)
  else at.required()
}

/** One of a closed set, if present. */
export function ifThere(at: Place, value: string | undefined, supported: readonly string[]): void {
  if (value !== undefined && !supported.includes(value)) at.notSupported(value, supported)
}

/** The name of a volume or device driver: a domain of at most 63 characters, in upper or lower case. An empty one gets two errors, as in Kubernetes. */
export function driverName(at: Place, value: string): void {
  if (!value) at.required()
  if (value.length > 63) at.tooLong(63)
  for (const why of dns1123Subdomain(value.toLowerCase())) at.invalid(value, why)
}

const reason = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/

/** Conditions of a status, in the form that all kinds of `meta/v1` conditions share. */
export function conditions(at: Place, list: readonly meta.Condition[] | undefined): void {
  distinct(at, list, ({ type }) => type, 'type')
  forEach(at, list, (condition, place) => {
    follows(place.at('type'), condition.type, qualifiedName)
    if (!['True', 'False', 'Unknown'].includes(condition.status)) place.at('status').notSupported(condition.status, ['False', 'True', 'Unknown'])
    if ((condition.observedGeneration ?? 0) < 0) place.at('observedGeneration').invalid(condition.observedGeneration, 'must be greater than or equal to zero')
    if (!condition.lastTransitionTime) place.at('lastTransitionTime').required('must be set')
    if (!condition.reason) place.at('reason').required('must be set')
    else if (!reason.test(condition.reason)) {
      place.at('reason').invalid(condition.reason, "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
        + "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')")
    }
    if (condition.reason.length > 1024) place.at('reason').tooLong(1024)
    if (Buffer.byteLength(condition.message) > 32 * 1024) place.at('message').tooLong(32 * 1024)
  })
}

/** The number, if present, is not negative. */
export function notNegative(at: Place, value: number | undefined): void {
  if (value !== undefined && value < 0) at.invalid(value, 'must be greater than or equal to 0')
}

/** The number, if present, is greater than zero. */
export function positive(at: Place, value: number | undefined): void {
  if (value !== undefined && value <= 0) at.invalid(value, 'must be greater than zero')
}

/** The number, if present, is from `low` to `high`. */
export function within(at: Place, value: number | undefined, low: number, high: number): void {
  if (value !== undefined) for (const why of inRange(value, low, high)) at.invalid(value, why)
}

/** The number, if present, is a port. */
export const port = (at: Place, value: number | undefined): void => within(at, value, 1, 65535)

/** The field is unchanged. */
export function unchanged(at: Place, next: unknown, current: unknown, why = 'field is immutable'): void {
  if (!deepEqual(next ?? null, current ?? null)) at.invalid(next ?? null, why)
}

/** Runs a check on each item, with the item's place. */
export function forEach<L extends readonly unknown[]>(at: Place, items: L | undefined, check: (item: L[number], at: Place) => void): void {
  if (items) for (let i = 0; i < items.length; i++) check(items[i], at.index(i))
}

/** No two items have the same `key`; a duplicate is reported at `field` of the later one. */
export function distinct<L extends readonly unknown[]>(at: Place, items: L | undefined, key: (item: L[number]) => string | undefined, field = ''): void {
  if (items === undefined || items.length < 2) return
  const seen = new Set<string>()
  for (let i = 0; i < items.length; i++) {
    const value = key(items[i])
    if (!value) continue
    if (seen.has(value)) (field ? at.index(i).at(field) : at.index(i)).duplicate(value)
    seen.add(value)
  }
}

/** Exactly one member of a union is set. Further ones are reported at their own place, a missing one at the union's. */
export function exactlyOne<N extends string>(at: Place, union: { readonly [K in N]?: unknown }, names: readonly N[], words: { readonly none: string; readonly many: string }): void {
  let there = 0
  for (const name of names) if (union[name] !== undefined && ++there > 1) at.at(name).forbidden(words.many)
  if (there === 0) at.required(words.none)
}

/** A label selector in an object. */
export function selector(at: Place, value: meta.LabelSelector | undefined): void {
  if (!value) return
  validateLabels(value.matchLabels, at.at('matchLabels'))
  forEach(at.at('matchExpressions'), value.matchExpressions, selectorRequirement)
}

function selectorRequirement({ key, operator, values = [] }: meta.LabelSelectorRequirement, at: Place): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) at.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) at.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else at.at('operator').invalid(operator, 'not a valid selector operator')
  follows(at.at('key'), key, qualifiedName)
  forEach(at.at('values'), values, (value, place) => follows(place, value, labelValue))
}

/** Whether a selector selects everything: it is absent or empty. */
export const selectsAll = (value: meta.LabelSelector | undefined): boolean =>
  Object.keys(value?.matchLabels ?? {}).length === 0 && (value?.matchExpressions ?? []).length === 0
