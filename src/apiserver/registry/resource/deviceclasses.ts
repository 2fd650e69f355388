/** Device classes. */
import type { dra } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import type { Check } from '../checks.ts'
import { ageColumn, nameColumn, printer } from '../printing.ts'
import { atMost, configuration, selectors } from './claims.ts'

function* validate({ spec }: dra.DeviceClass): Check {
  const at = path('spec')
  yield* selectors(at.at('selectors'), spec.selectors)
  yield* atMost(at.at('config'), spec.config, 32, (config, place) => configuration(place, config))
  const name = spec.extendedResourceName
  if (name !== undefined && !isExtended(name)) yield at.at('extendedResourceName').invalid(name, 'must be a valid extended resource name')
}

/** A resource of somebody else: of a domain, and not what quotas call requests. */
const isExtended = (name: string): boolean =>
  name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0

export const deviceclasses: Strategy<dra.DeviceClass> = {
  validate: (object) => [...validate(object)],
  printer: printer<dra.DeviceClass>(nameColumn, ageColumn),
}
