/** Endpoints: what endpoint slices were before. */
import type { core } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, ipAddress, qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { isOwnEndpoint, ordinaryAddress } from '../addresses.ts'
import { follows, forEach, oneOfThese, port, type Check } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, firstFew, nameColumn, orNone, printer, text } from '../printing.ts'

const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)

function endpointsText({ subsets = [] }: core.Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    (ports.length === 0 ? addresses.map((a) => a.ip) : ports.flatMap((p) => addresses.map((a) => hostPort(a.ip, p.port)))))
  return orNone(firstFew(all, 3))
}

function withDefaults(endpoints: core.Endpoints): core.Endpoints {
  return within(endpoints, 'subsets', (subsets) => subsets.map((subset) => within(subset, 'ports', (ports) =>
    ports.map((p) => (p.protocol ? p : { ...p, protocol: 'TCP' as const })))))
}

function* subset(value: core.EndpointSubset, at: Path, own: boolean): Check {
  const address = (one: core.EndpointAddress, place: Path) => oneAddress(one, place, own)
  const { addresses = [], notReadyAddresses = [], ports = [] } = value
  if (addresses.length + notReadyAddresses.length === 0) yield at.required('must specify `addresses` or `notReadyAddresses`')
  yield* forEach(at.at('addresses'), addresses, address)
  yield* forEach(at.at('notReadyAddresses'), notReadyAddresses, address)
  yield* forEach(at.at('ports'), ports, function* (p, place) {
    if (!p.name && ports.length > 1) yield place.at('name').required()
    if (p.name) yield* follows(place.at('name'), p.name, dns1123Label)
    yield* port(place.at('port'), p.port)
    yield* oneOfThese(place.at('protocol'), p.protocol, ['SCTP', 'TCP', 'UDP'])
    if (p.appProtocol !== undefined) yield* follows(place.at('appProtocol'), p.appProtocol, qualifiedName)
  })
}

function* oneAddress(value: core.EndpointAddress, at: Path, own: boolean): Check {
  yield* follows(at.at('ip'), value.ip, ipAddress)
  if (!own) yield* ordinaryAddress(at.at('ip'), value.ip)
  if (value.hostname) yield* follows(at.at('hostname'), value.hostname, dns1123Label)
  if (value.nodeName !== undefined) yield* follows(at.at('nodeName'), value.nodeName, dns1123Subdomain)
}

export const endpoints: Strategy<core.Endpoints> = {
  default: withDefaults,
  createOnUpdate: true,
  validate: (object) => [...forEach(path('subsets'), object.subsets, (one, at) => subset(one, at, isOwnEndpoint(object)))],
  printer: printer<core.Endpoints>(nameColumn, text('Endpoints', 'The addresses it leads to.', endpointsText), ageColumn),
}
