// An extension API server as everybody writes them: on k8s.io/apiserver, with its recommended options and one resource, flowers in
// garden.example.com/v1, kept in an etcd. It asks the cluster who is calling and what they may do, and has no rights of its own but those.
package main

import (
	"flag"
	"net"
	"os"

	extensionsopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/klog/v2"
	"k8s.io/kube-openapi/pkg/common"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	scheme = runtime.NewScheme()
	codecs = serializer.NewCodecFactory(scheme)
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the cluster")
	etcd := flag.String("etcd", "http://127.0.0.1:2379", "where flowers are kept")
	port := flag.Int("port", 0, "its own port on loopback")
	certificate := flag.String("certificate", "", "file for the certificate it makes for itself")
	flag.Parse()
	if err := serve(*kubeconfig, *etcd, *port, *certificate); err != nil {
		klog.ErrorS(err, "ended")
		os.Exit(1)
	}
}

func serve(kubeconfig, etcd string, port int, certificate string) error {
	register(scheme)
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	run := options.NewServerRunOptions()
	recommended := options.NewRecommendedOptions("/registry/garden.example.com", codecs.LegacyCodec(version))
	recommended.Etcd.StorageConfig.Transport.ServerList = []string{etcd}
	recommended.SecureServing.BindAddress, recommended.SecureServing.BindPort = net.IPv4(127, 0, 0, 1), port
	recommended.SecureServing.ServerCert.CertDirectory = certificate
	recommended.Authentication.RemoteKubeConfigFile = kubeconfig
	recommended.Authorization.RemoteKubeConfigFile = kubeconfig
	recommended.CoreAPI.CoreAPIKubeconfigPath = kubeconfig
	if err := run.Complete(); err != nil {
		return err
	}
	if err := recommended.SecureServing.MaybeDefaultWithSelfSignedCerts("garden", []string{"api.garden.svc"}, []net.IP{net.IPv4(127, 0, 0, 1)}); err != nil {
		return err
	}
	config := genericapiserver.NewRecommendedConfig(codecs)
	namer := openapinamer.NewDefinitionNamer(scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, namer)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, namer)
	if err := run.ApplyTo(&config.Config); err != nil {
		return err
	}
	if err := recommended.ApplyTo(config); err != nil {
		return err
	}
	server, err := config.Complete().New("garden", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return err
	}
	group := genericapiserver.NewDefaultAPIGroupInfo(version.Group, scheme, metav1.ParameterCodec, codecs)
	flowers, status, err := store(config.RESTOptionsGetter)
	if err != nil {
		return err
	}
	group.VersionedResourcesStorageMap[version.Version] = map[string]rest.Storage{"flowers": flowers, "flowers/status": status}
	if err := server.InstallAPIGroup(&group); err != nil {
		return err
	}
	return server.PrepareRun().RunWithContext(genericapiserver.SetupSignalContext())
}

func definitions(reference common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	all := extensionsopenapi.GetOpenAPIDefinitions(reference)
	for name, one := range ours(reference) {
		all[name] = one
	}
	return all
}
