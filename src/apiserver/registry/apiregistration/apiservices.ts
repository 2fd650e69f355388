/** API services: which server serves which group version. */
import type { apiregistration } from '../../../api/index.ts'
import { path, type FieldError } from '../../../machinery/field.ts'
import { dns1035Label, dns1123Subdomain, pathSegmentName, portNumber } from '../../../machinery/names.ts'
import { rfc3339 } from '../../../machinery/time.ts'
import { localVerdict } from '../../aggregation/availability.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, forEach, ifThere, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

type Service = apiregistration.APIService

function* validate({ metadata, spec }: Service): Check {
  const at = path('spec')
  const wanted = `${spec.version ?? ''}.${spec.group ?? ''}`
  if (metadata.name !== wanted) yield path('metadata').at('name').invalid(metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`)
  if (spec.group) yield* follows(at.at('group'), spec.group, dns1123Subdomain)
  yield* follows(at.at('version'), spec.version ?? '', dns1035Label)
  if (spec.groupPriorityMinimum <= 0 || spec.groupPriorityMinimum > 20000) yield at.at('groupPriorityMinimum').invalid(spec.groupPriorityMinimum, 'must be positive and less than 20000')
  if (spec.versionPriority <= 0 || spec.versionPriority > 1000) yield at.at('versionPriority').invalid(spec.versionPriority, 'must be positive and less than 1000')
  if (!spec.service) {
    if (spec.caBundle) yield at.at('caBundle').invalid(`${Buffer.byteLength(spec.caBundle, 'base64')} bytes`, 'local APIServices may not have a caBundle')
    if (spec.insecureSkipTLSVerify) yield at.at('insecureSkipTLSVerify').invalid(true, 'local APIServices may not have insecureSkipTLSVerify')
    return
  }
  const place = at.at('service')
  if (!spec.service.namespace) yield place.at('namespace').required()
  if (!spec.service.name) yield place.at('name').required()
  const { port = 443 } = spec.service
  for (const why of portNumber(port)) yield place.at('port').invalid(port, `port is not valid: ${why}`)
  if (spec.insecureSkipTLSVerify && spec.caBundle) yield at.at('insecureSkipTLSVerify').invalid(true, 'may not be true if caBundle is present')
}

const available = ({ status }: Service): string => {
  const condition = status.conditions?.find((c) => c.type === 'Available')
  if (!condition) return 'Unknown'
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`
}

/** What this server has itself can be reached from the start; of others that is still to be found out. */
const prepare = (service: Service, now: number): Service => {
  const conditions = [{ type: 'Available', ...localVerdict, lastTransitionTime: rfc3339(now) }]
  return { ...service, status: service.spec.service ? {} : { conditions } }
}

const validateAll = (service: Service): FieldError[] => [...validate(service)]

export const apiservices: Strategy<Service> = {
  unconditionalUpdate: false,
  counted: false,
  validateName: pathSegmentName,
  prepareForCreate: (service, { now }) => prepare(service, now),
  prepareForUpdate: (next, current) => ({ ...next, status: current.status }),
  default: (object) => within(object, 'spec', (spec) => within(spec, 'service', (service) => orDefault(service, { port: 443 }))),
  validate: validateAll,
  validateStatusUpdate: ({ status }) => [...forEach(path('status').at('conditions'), status.conditions, (condition, at) => ifThere(at.at('status'), condition.status, ['True', 'False', 'Unknown']))],
  printer: printer<Service>(
    nameColumn,
    text('Service', 'The service behind it; Local for what this server has itself.', (o) => (o.spec.service ? `${o.spec.service.namespace}/${o.spec.service.name}` : 'Local')),
    text('Available', 'Whether it can be reached.', available),
    ageColumn,
  ),
}
