/** Device classes. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { isExtended } from '../core/validation/resources.ts'
import { ageColumn, nameColumn, printer } from '../printing.ts'
import { atMost, configuration, selectors } from './claims.ts'

function validate({ spec }: dra.DeviceClass, root: Place): void {
  const at = root.at('spec')
  selectors(at.at('selectors'), spec.selectors)
  atMost(at.at('config'), spec.config, 32, (config, place) => configuration(place, config))
  const name = spec.extendedResourceName
  if (name !== undefined && !isExtended(name)) at.at('extendedResourceName').invalid(name, 'must be a valid extended resource name')
}

export const deviceclasses: Strategy<dra.DeviceClass> = {
  validate,
  printer: printer<dra.DeviceClass>(nameColumn, ageColumn),
}
