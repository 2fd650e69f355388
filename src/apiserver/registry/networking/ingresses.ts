/** Ingresses. */
import type { networking } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, pathSegmentName, portName, wildcardDNS1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { looksLikeAddress, plainAddress, unless } from '../addresses.ts'
import { follows, forEach, named, port } from '../checks.ts'
import { ageColumn, nameColumn, orNone, printer, text } from '../printing.ts'

const classAnnotation = 'kubernetes.io/ingress.class'

const ingressPrinter = printer<networking.Ingress>(
  nameColumn,
  text('Class', 'The class of controllers it is for.', (o) => orNone(o.spec.ingressClassName)),
  text('Hosts', 'Hosts whose requests it takes.', hostsText),
  text('Address', 'Where it is reached.', addressText),
  text('Ports', 'Ports it takes requests on.', (o) => (o.spec.tls?.length ? '80, 443' : '80')),
  ageColumn,
)

/** The first three hosts that rules name. How many more there are counts all other rules that follow the third, as clients know it. */
function hostsText({ spec: { rules = [] } }: networking.Ingress): string {
  const naming = rules.flatMap((rule, i) => (rule.host ? [{ host: rule.host, i }] : []))
  if (naming.length === 0) return '*'
  const shown = naming.slice(0, 3).map(({ host }) => host).join(',')
  const third = naming[2]?.i
  return third !== undefined && third < rules.length - 1 ? `${shown} + ${rules.length - 3} more...` : shown
}

function addressText({ status }: networking.Ingress): string {
  return [...new Set((status.loadBalancer.ingress ?? []).map((i) => i.ip || i.hostname || ''))].filter(Boolean).toSorted().join(',')
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badSuffixes = ['/..', '/.']

function spec(at: Place, value: networking.IngressSpec): void {
  if (!value.rules?.length && !value.defaultBackend) at.invalid(value.rules ?? [], 'either `defaultBackend` or `rules` must be specified')
  if (value.defaultBackend) backend(at.at('defaultBackend'), value.defaultBackend)
  forEach(at.at('rules'), value.rules, (rule, place) => {
    if (rule.host) host(place.at('host'), rule.host)
    if (!rule.http) return
    const paths = place.at('http').at('paths')
    if (rule.http.paths.length === 0) paths.required()
    forEach(paths, rule.http.paths, oneRulePath)
  })
  forEach(at.at('tls'), value.tls, (tls, place) => {
    forEach(place.at('hosts'), tls.hosts, (name, here) => follows(here, name, name.includes('*') ? wildcardDNS1123Subdomain : dns1123Subdomain))
    if (tls.secretName) follows(place.at('secretName'), tls.secretName, dns1123Subdomain)
  })
  if (value.ingressClassName !== undefined) follows(at.at('ingressClassName'), value.ingressClassName, dns1123Subdomain)
}

function host(at: Place, name: string): void {
  if (looksLikeAddress(name)) at.invalid(name, 'must be a DNS name, not an IP address')
  follows(at, name, name.includes('*') ? wildcardDNS1123Subdomain : dns1123Subdomain)
}

function oneRulePath(value: networking.HTTPIngressPath, at: Place): void {
  if (!value.pathType) return at.at('pathType').required('pathType must be specified')
  if (!pathTypes.includes(value.pathType)) at.at('pathType').notSupported(value.pathType, pathTypes)
  const where = value.path ?? ''
  const exact = value.pathType === 'Exact' || value.pathType === 'Prefix'
  if ((where !== '' && value.pathType === 'ImplementationSpecific') || exact) {
    if (!where.startsWith('/')) at.at('path').invalid(where, 'must be an absolute path')
    if (exact) {
      for (const part of badSequences) if (where.includes(part)) at.at('path').invalid(where, `must not contain '${part}'`)
      for (const part of badSuffixes) if (where.endsWith(part)) at.at('path').invalid(where, `cannot end with '${part}'`)
    }
  }
  backend(at.at('backend'), value.backend)
}

function backend(at: Place, { service, resource }: networking.IngressBackend): void {
  if (service && resource) at.invalid('', 'cannot set both resource and service backends')
  else if (resource) {
    if (resource.apiGroup !== undefined) follows(at.at('resource').at('apiGroup'), resource.apiGroup, dns1123Subdomain)
    named(at.at('resource').at('kind'), resource.kind, pathSegmentName)
    named(at.at('resource').at('name'), resource.name, pathSegmentName)
  } else if (!service) at.invalid('', 'resource or service backend is required')
  else {
    const place = at.at('service')
    if (!service.name) place.at('name').required()
    else follows(place.at('name'), service.name, dns1123Label)
    const { name, number } = service.port
    if (name && number) at.invalid('', 'cannot set both port name & port number')
    else if (name) follows(place.at('port').at('name'), name, portName)
    else if (number) port(place.at('port').at('number'), number)
    else at.required('port name or number is required')
  }
}

function validate(ingress: networking.Ingress, root: Place): void {
  const annotation = ingress.metadata.annotations?.[classAnnotation]
  const both = annotation !== undefined && ingress.spec.ingressClassName !== undefined && annotation !== ingress.spec.ingressClassName
  spec(root.at('spec'), ingress.spec)
  if (both) root.at('annotations').at(classAnnotation).invalid(annotation, 'must match `ingressClassName` when both are specified')
}

/** Where an ingress is reached, as its controller says. */
function statusErrors({ status }: networking.Ingress, current: networking.Ingress, root: Place): void {
  const rule = unless(current.status.loadBalancer.ingress?.map(({ ip = '' }) => ip), plainAddress)
  forEach(root.at('status').at('loadBalancer').at('ingress'), status.loadBalancer.ingress, ({ ip, hostname }, place) => {
    if (ip) follows(place.at('ip'), ip, rule)
    if (!hostname) return
    follows(place.at('hostname'), hostname, dns1123Subdomain)
    if (looksLikeAddress(hostname)) place.at('hostname').invalid(hostname, 'must be a DNS name, not an IP address')
  })
}

export const ingresses: Strategy<networking.Ingress> = {
  validate,
  warnings: ({ metadata }) => (metadata.annotations?.[classAnnotation] === undefined ? [] : [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]),
  validateUpdate: (next, _current, root) => spec(root.at('spec'), next.spec),
  validateStatusUpdate: (next, current, root) => statusErrors(next, current, root),
  printer: ingressPrinter,
}
