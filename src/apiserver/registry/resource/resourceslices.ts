/** Resource slices: the devices that a driver offers. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, driverName, follows, unchanged } from '../checks.ts'
import { nodeSelector } from '../core/validation/scheduling.ts'
import { ageColumn, nameColumn, orUnset, printer, text } from '../printing.ts'
import { atMost } from './claims.ts'
import { counters, oneDevice } from './devices.ts'
import { poolName } from './names.ts'

function validate({ spec }: dra.ResourceSlice, root: Place, was?: dra.ResourceSliceSpec): void {
  const at = root.at('spec')
  driverName(at.at('driver'), spec.driver)
  poolName(at.at('pool').at('name'), spec.pool.name)
  if (spec.pool.resourceSliceCount <= 0) at.at('pool').at('resourceSliceCount').invalid(spec.pool.resourceSliceCount, 'must be greater than zero')
  if (spec.pool.generation < 0) at.at('pool').at('generation').invalid(spec.pool.generation, 'must be greater than or equal to zero')
  places(at, spec)
  if (spec.sharedCounters && spec.devices) at.invalid('', 'only one of `sharedCounters` or `devices` is allowed')
  const devices = spec.devices ?? []
  const before = new Map((was?.devices ?? []).map((device) => [device.name, device]))
  // What takes long to look through makes room for fewer.
  const most = devices.some((device) => device.taints?.length || device.consumesCounters?.length || Object.values(device.attributes ?? {}).some(isList)) ? 64 : 128
  atMost(at.at('devices'), devices, most, (device, place) => oneDevice(device, place, spec.perDeviceNodeSelection ?? false, before.get(device.name)))
  distinct(at.at('devices'), devices, (device) => device.name)
  atMost(at.at('sharedCounters'), spec.sharedCounters, 8, (set, place) => {
    if (!set.name) place.at('name').required()
    else follows(place.at('name'), set.name, dns1123Label)
    counters(place.at('counters'), set.counters)
  })
  distinct(at.at('sharedCounters'), spec.sharedCounters, (set) => set.name)
}

const isList = ({ bools, ints, strings, versions }: dra.DeviceAttribute): boolean => Boolean(bools ?? ints ?? strings ?? versions)

const onlyOne = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'

/** From where the devices can be used. */
function places(at: Place, spec: dra.ResourceSliceSpec): void {
  const said: string[] = []
  if (spec.nodeName) {
    said.push('`nodeName`')
    follows(at.at('nodeName'), spec.nodeName, dns1123Subdomain)
  } else if (spec.nodeName === '') at.at('nodeName').invalid('', 'must be either unset or set to a non-empty string')
  if (spec.nodeSelector) {
    said.push('`nodeSelector`')
    const place = at.at('nodeSelector')
    nodeSelector(place, spec.nodeSelector)
    const terms = spec.nodeSelector.nodeSelectorTerms
    if (terms.length !== 1) place.at('nodeSelectorTerms').invalid(terms, 'must have exactly one node selector term')
  }
  for (const name of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[name]) said.push(`\`${name}\``)
    else if (spec[name] === false) at.at(name).invalid(false, 'must be either unset or set to true')
  }
  if (said.length === 0) at.required(onlyOne)
  if (said.length > 1) at.invalid(`{${said.join(', ')}}`, `${onlyOne}, but multiple fields are set`)
}

export const resourceslices: Strategy<dra.ResourceSlice> = {
  validate: (slice, root) => validate(slice, root),
  validateUpdate: (next, current, root) => {
    validate(next, root, current.spec)
    for (const name of ['driver', 'nodeName'] as const) unchanged(root.at('spec').at(name), next.spec[name], current.spec[name])
    unchanged(root.at('spec').at('pool').at('name'), next.spec.pool.name, current.spec.pool.name)
  },
  selectableFields: ({ spec }) => ({ 'spec.nodeName': spec.nodeName ?? '', 'spec.driver': spec.driver }),
  printer: printer<dra.ResourceSlice>(
    nameColumn,
    text('Node', 'The node that has the devices.', (o) => orUnset(o.spec.nodeName)),
    text('Driver', 'The driver that offers them.', (o) => o.spec.driver),
    text('Pool', 'The pool they belong to.', (o) => o.spec.pool.name),
    ageColumn,
  ),
}
