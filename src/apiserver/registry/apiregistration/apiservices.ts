/** API services: which server serves which group version. */
import type { apiregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1035Label, dns1123Subdomain, pathSegmentName, portNumber } from '../../../machinery/names.ts'
import { rfc3339 } from '../../../machinery/time.ts'
import { localVerdict } from '../../aggregation/availability.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, forEach, ifThere } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

type Service = apiregistration.APIService

function validate({ metadata, spec }: Service, root: Place): void {
  const at = root.at('spec')
  const wanted = `${spec.version ?? ''}.${spec.group ?? ''}`
  if (metadata.name !== wanted) root.at('metadata').at('name').invalid(metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`)
  if (spec.group) follows(at.at('group'), spec.group, dns1123Subdomain)
  follows(at.at('version'), spec.version ?? '', dns1035Label)
  if (spec.groupPriorityMinimum <= 0 || spec.groupPriorityMinimum > 20000) at.at('groupPriorityMinimum').invalid(spec.groupPriorityMinimum, 'must be positive and less than 20000')
  if (spec.versionPriority <= 0 || spec.versionPriority > 1000) at.at('versionPriority').invalid(spec.versionPriority, 'must be positive and less than 1000')
  if (!spec.service) {
    if (spec.caBundle) at.at('caBundle').invalid(`${Buffer.byteLength(spec.caBundle, 'base64')} bytes`, 'local APIServices may not have a caBundle')
    if (spec.insecureSkipTLSVerify) at.at('insecureSkipTLSVerify').invalid(true, 'local APIServices may not have insecureSkipTLSVerify')
    return
  }
  const place = at.at('service')
  if (!spec.service.namespace) place.at('namespace').required()
  if (!spec.service.name) place.at('name').required()
  const { port = 443 } = spec.service
  for (const why of portNumber(port)) place.at('port').invalid(port, `port is not valid: ${why}`)
  if (spec.insecureSkipTLSVerify && spec.caBundle) at.at('insecureSkipTLSVerify').invalid(true, 'may not be true if caBundle is present')
}

const available = ({ status }: Service): string => {
  const condition = status.conditions?.find((c) => c.type === 'Available')
  if (!condition) return 'Unknown'
  return condition.status !== 'True' && condition.reason ? `${condition.status} (${condition.reason})` : condition.status
}

/** What this server has itself can be reached from the start; of others that is still to be found out. */
const prepare = (service: Service, now: number): Service => {
  const conditions = [{ type: 'Available', ...localVerdict, lastTransitionTime: rfc3339(now) }]
  return { ...service, status: service.spec.service ? {} : { conditions } }
}

export const apiservices: Strategy<Service> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  counted: false,
  validateName: pathSegmentName,
  prepareForCreate: (service, { now }) => prepare(service, now),
  prepareForUpdate: (next, current) => ({ ...next, status: current.status }),
  default: (object) => within(object, 'spec', (spec) => within(spec, 'service', (service) => orDefault(service, { port: 443 }))),
  validate,
  validateStatusUpdate: ({ status }, _current, root) => forEach(root.at('status').at('conditions'), status.conditions, (condition, at) => ifThere(at.at('status'), condition.status, ['True', 'False', 'Unknown'])),
  printer: printer<Service>(
    nameColumn,
    text('Service', 'The service behind it; Local for what this server has itself.', (o) => (o.spec.service ? `${o.spec.service.namespace}/${o.spec.service.name}` : 'Local')),
    text('Available', 'Whether it can be reached.', available),
    ageColumn,
  ),
}
