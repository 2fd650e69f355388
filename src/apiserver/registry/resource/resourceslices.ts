/** Resource slices: the devices that a driver offers. */
import type { dra } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, named, unchanged, type Check } from '../checks.ts'
import { ageColumn, nameColumn, orUnset, printer, text } from '../printing.ts'

function* validate({ spec }: dra.ResourceSlice): Check {
  const at = path('spec')
  yield* named(at.at('driver'), spec.driver, dns1123Subdomain)
  yield* named(at.at('pool').at('name'), spec.pool.name)
  if (spec.pool.resourceSliceCount <= 0) yield at.at('pool').at('resourceSliceCount').invalid(spec.pool.resourceSliceCount, 'must be greater than zero')
  if (spec.pool.generation < 0) yield at.at('pool').at('generation').invalid(spec.pool.generation, 'must be greater than or equal to zero')
  const where = [spec.nodeName, spec.nodeSelector, spec.allNodes || undefined, spec.perDeviceNodeSelection || undefined].filter((value) => value !== undefined)
  if (where.length === 0) yield at.required('exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required')
  if (where.length > 1) yield at.invalid(`{${where.length} fields}`, 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set')
  const devices = spec.devices ?? []
  if (devices.length > 128) yield at.at('devices').tooMany(devices.length, 128)
  yield* forEach(at.at('devices'), devices, (device, place) => named(place.at('name'), device.name, dns1123Label))
  yield* distinct(at.at('devices'), devices, (device) => device.name)
}

export const resourceslices: Strategy<dra.ResourceSlice> = {
  validate: (slice) => [...validate(slice)],
  validateUpdate: (next, current) => [
    ...validate(next),
    ...(['driver', 'nodeName'] as const).flatMap((name) => [...unchanged(path('spec').at(name), next.spec[name], current.spec[name])]),
    ...unchanged(path('spec').at('pool').at('name'), next.spec.pool.name, current.spec.pool.name),
  ],
  selectableFields: ({ spec }) => ({ 'spec.nodeName': spec.nodeName ?? '', 'spec.driver': spec.driver }),
  printer: printer<dra.ResourceSlice>(
    nameColumn,
    text('Node', 'The node that has the devices.', (o) => orUnset(o.spec.nodeName)),
    text('Driver', 'The driver that offers them.', (o) => o.spec.driver),
    text('Pool', 'The pool they belong to.', (o) => o.spec.pool.name),
    ageColumn,
  ),
}
