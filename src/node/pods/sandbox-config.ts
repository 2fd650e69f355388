/** What the runtime is told about a pod's sandbox. */
import type { core } from '../../api/index.ts'
import { podName, podNamespace, podUid, type NodeContext } from '../context.ts'
import type { LinuxResources, SandboxConfig } from '../runtime/driver.ts'
import { kernelHostname, podDns, type DnsConfig } from './dns.ts'
import { podLabels, podLogDirectory } from './names.ts'
import { cpuShares, memoryBytes, milliCpu, podLimits } from './resources.ts'
import { sandboxSecurity } from './security.ts'

export interface SandboxInput { readonly attempt: number; readonly cgroupParent: string; readonly hostDns: DnsConfig; readonly seccompRoot: string }

export function sandboxConfig(context: Pick<NodeContext, 'clusterDns' | 'clusterDomain' | 'directories' | 'owner'>, pod: core.Pod, input: SandboxInput): SandboxConfig {
  const limits = podLimits(pod)
  const resources: LinuxResources = { cpuShares: limits.shares, cpuQuota: limits.quota, cpuPeriod: limits.period, memoryLimitBytes: limits.memoryBytes }
  const overhead = pod.spec.overhead
  return {
    pod: { name: podName(pod), namespace: podNamespace(pod), uid: podUid(pod), attempt: input.attempt },
    hostname: pod.spec.hostNetwork ? '' : kernelHostname(pod, context.clusterDomain),
    logDirectory: podLogDirectory(context.directories.logs, pod),
    dns: podDns(pod, { clusterDns: context.clusterDns, clusterDomain: context.clusterDomain, host: input.hostDns }),
    ports: pod.spec.hostNetwork ? [] : portsOf(pod),
    labels: { ...pod.metadata.labels, ...podLabels(pod, context.owner) },
    annotations: pod.metadata.annotations ?? {},
    cgroupParent: input.cgroupParent,
    sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map((s) => [s.name, s.value])),
    security: sandboxSecurity(pod, input.seccompRoot),
    resources,
    ...(overhead ? { overhead: { cpuShares: cpuShares(milliCpu(overhead)), memoryLimitBytes: memoryBytes(overhead) } } : {}),
  }
}

const portsOf = (pod: core.Pod): SandboxConfig['ports'] =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')].flatMap((c) => (c.ports ?? []).map((p) => ({
    protocol: p.protocol ?? 'TCP', containerPort: p.containerPort, hostPort: p.hostPort ?? 0, hostIP: p.hostIP ?? '',
  })))
