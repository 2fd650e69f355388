/** Limit ranges. */
import type { core } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../machinery/quantity.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, follows, forEach, named, type Check } from '../checks.ts'
import { each, within } from '../defaulting.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import type { Amounts } from './validation/resources.ts'

/** Containers that say nothing are limited to the maximum, and request what they are limited to, or the minimum. */
function itemDefaults(item: core.LimitRangeItem): core.LimitRangeItem {
  if (item.type !== 'Container') return item
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  return { ...item, ...(Object.keys(limits).length > 0 && { default: limits }), ...(Object.keys(requests).length > 0 && { defaultRequest: requests }) }
}

/** Bounds in ascending order, as errors name them. */
const bounds = [['min', 'min'], ['defaultRequest', 'default request'], ['default', 'default'], ['max', 'max']] as const

function* item(value: core.LimitRangeItem, at: Path): Check {
  yield* named(at.at('type'), value.type, qualifiedName)
  for (const [name] of bounds) {
    for (const resource of Object.keys(value[name] ?? {})) yield* follows(at.at(name).key(resource), resource, qualifiedName)
  }
  if (value.type === 'Pod') {
    for (const name of ['default', 'defaultRequest'] as const) if (value[name]) yield at.at(name).forbidden('may not be specified when `type` is \'Pod\'')
  }
  if (value.type === 'PersistentVolumeClaim' && !value.min?.['storage'] && !value.max?.['storage']) {
    yield at.at('limits').required('either minimum or maximum storage value is required, but neither was provided')
  }
  for (const [i, [low, lowName]] of bounds.entries()) {
    for (const [high, highName] of bounds.slice(i + 1)) yield* inOrder(at.at(low), lowName, value[low], highName === 'default' ? 'default limit' : highName, value[high])
  }
}

function* inOrder(at: Path, lowName: string, low: Amounts = {}, highName: string, high: Amounts = {}): Check {
  for (const [resource, least] of Object.entries(low)) {
    const most = high[resource]
    if (most === undefined || !isQuantity(least) || !isQuantity(most)) continue
    if (parseQuantity(least).compare(parseQuantity(most)) > 0) {
      yield at.key(resource).invalid(least, `${lowName} value ${least} is greater than ${highName} value ${most}`)
    }
  }
}

export const limitranges: Strategy<core.LimitRange> = {
  counted: false,
  default: (range) => within(range, 'spec', (spec) => each(spec, 'limits', itemDefaults)),
  createOnUpdate: true,
  validate: (range) => [
    ...forEach(path('spec').at('limits'), range.spec.limits, item),
    ...distinct(path('spec').at('limits'), range.spec.limits, (value) => value.type, 'type'),
  ],
  printer: printer<core.LimitRange>(nameColumn, createdAtColumn),
}
