/** What every node may do, whichever pods it runs: register, report its status, and read services and the like. */
import type { rbac } from '../../api/index.ts'

const rule = (verbs: string, group: string, resources: string): rbac.PolicyRule => ({ verbs: verbs.split(' '), apiGroups: [group], resources: resources.split(' ') })
const read = 'get list watch'

export const nodeRules: readonly rbac.PolicyRule[] = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews'),
  // Which node, and which pods, is for the NodeRestriction admission plugin to say: only that sees what is written.
  rule('create patch update', '', 'nodes'),
  rule('patch update', '', 'nodes/status'),
  rule('create delete', '', 'pods'),
  rule('patch update', '', 'pods/status'),
  rule('create', '', 'pods/eviction'),
  rule('create patch update', '', 'events'),
  rule('create patch update', 'events.k8s.io', 'events'),
  rule(`${read} create`, 'certificates.k8s.io', 'certificatesigningrequests'),
  rule(read, 'storage.k8s.io', 'csidrivers'),
  rule(read, 'node.k8s.io', 'runtimeclasses'),
  rule('get', '', 'endpoints'),
  rule(read, '', 'services'),
]
