/** Endpoints: what endpoint slices were before. */
import type { core } from '../../../api/index.ts'
import { path, type Path, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label, dns1123Subdomain, ipAddress, qualifiedName, type NameRule } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { addressWarnings, isOwnEndpoint, ordinaryAddress, plainAddress, unless } from '../addresses.ts'
import { follows, forEach, oneOfThese, port } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, firstFew, nameColumn, orNone, printer, text } from '../printing.ts'

const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)

function endpointsText({ subsets = [] }: core.Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    (ports.length === 0 ? addresses.map((a) => a.ip) : ports.flatMap((p) => addresses.map((a) => hostPort(a.ip, p.port)))))
  return subsets.length === 0 ? orNone(undefined) : firstFew(all, 3)
}

function withDefaults(endpoints: core.Endpoints): core.Endpoints {
  return within(endpoints, 'subsets', (subsets) => subsets.map((subset) => within(subset, 'ports', (ports) =>
    ports.map((p) => (p.protocol ? p : { ...p, protocol: 'TCP' as const })))))
}

function subset(value: core.EndpointSubset, at: Place, own: boolean, rule: NameRule): void {
  const address = (one: core.EndpointAddress, place: Place) => oneAddress(one, place, own, rule)
  const { addresses = [], notReadyAddresses = [], ports = [] } = value
  if (addresses.length + notReadyAddresses.length === 0) at.required('must specify `addresses` or `notReadyAddresses`')
  forEach(at.at('addresses'), addresses, address)
  forEach(at.at('notReadyAddresses'), notReadyAddresses, address)
  forEach(at.at('ports'), ports, (p, place) => {
    if (!p.name && ports.length > 1) place.at('name').required()
    if (p.name) follows(place.at('name'), p.name, dns1123Label)
    port(place.at('port'), p.port)
    oneOfThese(place.at('protocol'), p.protocol, ['SCTP', 'TCP', 'UDP'])
    if (p.appProtocol !== undefined) follows(place.at('appProtocol'), p.appProtocol, qualifiedName)
  })
}

function oneAddress(value: core.EndpointAddress, at: Place, own: boolean, rule: NameRule): void {
  const problems = rule(value.ip)
  for (const why of problems) at.at('ip').invalid(value.ip, why)
  if (problems.length > 0 && ipAddress(value.ip)[0] === problems[0]) at.at('ip').invalid(value.ip, 'must be a valid IP address')
  if (!own) ordinaryAddress(at.at('ip'), value.ip)
  if (value.hostname) follows(at.at('hostname'), value.hostname, dns1123Label)
  if (value.nodeName !== undefined) follows(at.at('nodeName'), value.nodeName, dns1123Subdomain)
}

/** All addresses of endpoints, ready or not, with their places. */
const addressesOf = ({ subsets: list = [] }: core.Endpoints): readonly { readonly at: Path; readonly value: core.EndpointAddress }[] =>
  list.flatMap((one, i) => (['addresses', 'notReadyAddresses'] as const).flatMap((name) =>
    (one[name] ?? []).map((value, j) => ({ at: path('subsets').index(i).at(name).index(j), value }))))

const subsets = (object: core.Endpoints, root: Place, rule: NameRule): void =>
  forEach(root.at('subsets'), object.subsets, (one, at) => subset(one, at, isOwnEndpoint(object), rule))

export const endpoints: Strategy<core.Endpoints> = {
  default: withDefaults,
  createOnUpdate: true,
  validate: (object, root) => subsets(object, root, plainAddress),
  validateUpdate: (next, current, root) => {
    if (!deepEqual(next.subsets ?? [], current.subsets ?? [])) subsets(next, root, unless(addressesOf(current).map(({ value }) => value.ip), plainAddress))
  },
  warnings: (object) => addressesOf(object).flatMap(({ at, value }) => addressWarnings(at.at('ip'), value.ip)),
  printer: printer<core.Endpoints>(nameColumn, text('Endpoints', 'The addresses it leads to.', endpointsText), ageColumn),
}
