/** Device classes. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { isExtended } from '../core/validation/resources.ts'
import { ageColumn, nameColumn, printer } from '../printing.ts'
import { atMost, configuration, selectors } from './claims.ts'
import { selectorsReady } from './expressions.ts'

/** Checks a class; of what was there before it is known that it can be compiled, and how long it may be. */
function validate({ spec }: dra.DeviceClass, root: Place, was?: dra.DeviceClassSpec): void {
  const at = root.at('spec')
  const stored = (name: 'selectors' | 'config'): boolean => was !== undefined && deepEqual(spec[name] ?? [], was[name] ?? [])
  selectors(at.at('selectors'), spec.selectors, stored('selectors'))
  atMost(at.at('config'), spec.config, 32, (config, place) => configuration(place, config, stored('config')))
  const name = spec.extendedResourceName
  if (name !== undefined && !isExtended(name)) at.at('extendedResourceName').invalid(name, 'must be a valid extended resource name')
}

export const deviceclasses: Strategy<dra.DeviceClass> = {
  ready: ({ spec }) => selectorsReady(spec.selectors),
  validate: (object, root) => validate(object, root),
  validateUpdate: (next, current, root) => validate(next, root, current.spec),
  printer: printer<dra.DeviceClass>(nameColumn, ageColumn),
}
