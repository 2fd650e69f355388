/** Device classes. */
import type { dra } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, forEach, type Check } from '../checks.ts'
import { ageColumn, nameColumn, printer } from '../printing.ts'
import { configuration, selectors } from './claims.ts'

function* validate({ spec }: dra.DeviceClass): Check {
  const at = path('spec')
  yield* selectors(at.at('selectors'), spec.selectors)
  yield* forEach(at.at('config'), spec.config, (config, place) => configuration(place, config))
  if (spec.extendedResourceName !== undefined) yield* follows(at.at('extendedResourceName'), spec.extendedResourceName, qualifiedName)
}

export const deviceclasses: Strategy<dra.DeviceClass> = {
  validate: (object) => [...validate(object)],
  printer: printer<dra.DeviceClass>(nameColumn, ageColumn),
}
