/** Which container of a pod is meant, and which parameters its node is asked with. */
import type { core } from '../../api/index.ts'
import { badRequest, invalid } from '../../machinery/errors.ts'
import { path, type FieldError } from '../../machinery/field.ts'
import { parseInt64 } from '../../machinery/int64.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import { isTrue } from '../http/request-info.ts'

const names = (containers: readonly { readonly name: string }[] | undefined): string[] => (containers ?? []).map((c) => c.name)

/** The container that is meant: the one named, or the only one. Throws 400 in Kubernetes's words. */
export function chooseContainer(pod: core.Pod, wanted: string): string {
  const containers = names(pod.spec.containers)
  const all = [...names(pod.spec.initContainers), ...containers, ...names(pod.spec.ephemeralContainers)]
  if (wanted !== '') {
    if (all.includes(wanted)) return wanted
    throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`)
  }
  if (containers.length === 1) return containers[0] as string
  if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${pod.metadata.name}`)
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${all.join(' ')}]`)
}

/** The parameters of the node's exec and attach endpoints, from the client's. */
export function streamParameters(query: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const [ours, theirs] of [['stdin', 'input'], ['stdout', 'output'], ['stderr', 'error'], ['tty', 'tty']] as const) {
    if (isTrue(query.get(ours))) parameters.set(theirs, '1')
  }
  for (const word of query.getAll('command')) parameters.append('command', word)
  return parameters
}

/** The parameters of the node's log endpoint; throws 400 for values that cannot be read, 422 for those that make no sense. */
export function logParameters(pod: string, query: URLSearchParams): URLSearchParams {
  const errors: FieldError[] = []
  const parameters = new URLSearchParams()
  for (const flag of ['follow', 'previous', 'timestamps']) if (isTrue(query.get(flag))) parameters.set(flag, 'true')
  const number = (name: string, least: number, why: string) => {
    const text = query.get(name)
    if (text === null) return
    const value = parseInt64(text)
    if (typeof value === 'string') throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${value}`)
    if (value < least) errors.push(path(name).invalid(Number(value), why))
    parameters.set(name, String(value))
  }
  number('tailLines', 0, 'must be greater than or equal to 0')
  number('limitBytes', 1, 'must be greater than 0')
  const since = query.get('sinceTime')
  const [time, seconds] = [since ? parseTime(since) : undefined, query.has('sinceSeconds')]
  number('sinceSeconds', time === undefined ? 1 : -Infinity, 'must be greater than 0')
  if (time !== undefined) {
    if (seconds) errors.push(path('').forbidden('at most one of `sinceTime` or `sinceSeconds` may be specified'))
    parameters.set('sinceTime', rfc3339(time))
  }
  const stream = query.get('stream')
  if (stream && !['All', 'Stdout', 'Stderr'].includes(stream)) errors.push(path('stream').notSupported(stream, ['All', 'Stdout', 'Stderr']))
  if (stream && stream !== 'All') {
    if (parameters.has('tailLines')) errors.push(path('').forbidden('`tailLines` and specific `stream` are mutually exclusive for now'))
    parameters.set('stream', stream)
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors)
  return parameters
}
