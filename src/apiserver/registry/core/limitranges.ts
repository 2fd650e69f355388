/** Limit ranges. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { uid } from '../../../machinery/meta.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { readQuantity } from '../amounts.ts'
import { distinct, forEach } from '../checks.ts'
import { each, within } from '../defaulting.ts'
import { withMeta } from '../meta.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import { cannotOvercommit, containerResourceName, resourceName } from './validation/resources.ts'

/** Containers that say nothing are limited to the maximum, and request what they are limited to, or the minimum. */
function itemDefaults(item: core.LimitRangeItem): core.LimitRangeItem {
  if (item.type !== 'Container') return item
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  return { ...item, ...(Object.keys(limits).length > 0 && { default: limits }), ...(Object.keys(requests).length > 0 && { defaultRequest: requests }) }
}

type Bound = 'min' | 'defaultRequest' | 'default' | 'max'

/** Which bounds must not be above which: where it is said, with which of the two amounts, and how both are called. */
const inOrder: readonly (readonly [low: Bound, high: Bound, at: Bound, shown: Bound, lowName: string, highName: string])[] = [
  ['min', 'max', 'min', 'min', 'min', 'max'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest', 'min', 'default request'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest', 'default request', 'max'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest', 'default request', 'default limit'],
  ['min', 'default', 'default', 'min', 'min', 'default'],
  ['default', 'max', 'default', 'max', 'default', 'max'],
]
const types = ['Pod', 'Container', 'PersistentVolumeClaim']

function item(value: core.LimitRangeItem, at: Place): void {
  const problems = qualifiedName(value.type)
  for (const why of problems) at.at('type').invalid(value.type, why)
  if (problems.length === 0 && !value.type.includes('/') && !types.includes(value.type)) at.at('type').invalid(value.type, 'must be a standard limit type or fully qualified')
  const ofPods = value.type === 'Pod' || value.type === 'Container'
  const withoutDefaults = value.type === 'Pod'
  for (const name of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const) {
    const amounts = Object.keys(value[name] ?? {})
    if (withoutDefaults && (name === 'default' || name === 'defaultRequest')) {
      if (amounts.length > 0) at.at(name).forbidden('may not be specified when `type` is \'Pod\'')
      continue
    }
    for (const resource of amounts) (ofPods ? containerResourceName : resourceName)(at.at(name).key(resource), resource)
  }
  if (value.type === 'PersistentVolumeClaim' && !value.min?.['storage'] && !value.max?.['storage']) {
    at.at('limits').required('either minimum or maximum storage value is required, but neither was provided')
  }
  const { min, max, maxLimitRequestRatio } = value
  const bounds: Bounds = withoutDefaults ? { min, max, maxLimitRequestRatio } : value
  const names = new Set([min, max, bounds.default, bounds.defaultRequest, maxLimitRequestRatio].flatMap((amounts) => Object.keys(amounts ?? {})))
  for (const name of names) resourceBounds(at, bounds, name)
}

type Bounds = Partial<Pick<core.LimitRangeItem, Bound | 'maxLimitRequestRatio'>>

/** The bounds of one resource: in order, and with a ratio that they allow. */
function resourceBounds(at: Place, value: Bounds, name: string): void {
  const of = (bound: Bound | 'maxLimitRequestRatio') => readQuantity(value[bound]?.[name])
  for (const [low, high, place, shown, lowName, highName] of inOrder) {
    const [least, most] = [of(low), of(high)]
    if (least && most && least.compare(most) > 0) {
      at.at(place).key(name).invalid(String(of(shown)), `${lowName} value ${least} is greater than ${highName} value ${most}`)
    }
  }
  const [ratio, min, max] = [of('maxLimitRequestRatio'), of('min'), of('max')]
  const place = at.at('maxLimitRequestRatio').key(name)
  if (ratio && ratio.nanos < 1_000_000_000n) place.invalid(String(ratio), `ratio ${ratio} is less than 1`)
  if (ratio && min && max && min.nanos > 0n && ratio.nanos * min.nanos > max.nanos * 1_000_000_000n) {
    place.invalid(String(ratio), `ratio ${ratio} is greater than max/min = ${(Number(max.nanos) / Number(min.nanos)).toFixed(6)}`)
  }
  const [limit, request] = [of('default'), of('defaultRequest')]
  if (cannotOvercommit(name) && limit && request && limit.compare(request) !== 0) {
    at.at('defaultRequest').key(name).invalid(String(request), `default value ${limit} must equal to defaultRequest value ${request} in ${name}`)
  }
}

export const limitranges: Strategy<core.LimitRange> = {
  counted: false,
  default: (range) => within(range, 'spec', (spec) => each(spec, 'limits', itemDefaults)),
  createOnUpdate: true,
  // A range without any name is called by an identity of its own.
  prepareForCreate: (range) => (range.metadata.name ? range : withMeta(range, { name: uid() })),
  validate: (range, root) => {
    forEach(root.at('spec').at('limits'), range.spec.limits, item)
    distinct(root.at('spec').at('limits'), range.spec.limits, (value) => value.type, 'type')
  },
  printer: printer<core.LimitRange>(nameColumn, createdAtColumn),
}
