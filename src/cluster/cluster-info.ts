/** The ConfigMap in which the control plane tells nodes what they must know. */
export const clusterInfo = { namespace: 'kube-system', name: 'skiff-cluster' } as const
