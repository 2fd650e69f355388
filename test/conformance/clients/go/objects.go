package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/base64"
	"encoding/pem"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

//go:embed objects.yaml
var objectsText string

// MinimalObjects are the least that is valid of every kind, as JSON, with NAME where the name goes and NAMESPACE where the namespace.
func minimalObjects() map[schema.GroupVersionKind]string {
	found := map[schema.GroupVersionKind]string{}
	text := strings.ReplaceAll(objectsText, "request: CSR", "request: "+signingRequest())
	for _, document := range strings.Split(text, "\n---\n") {
		text, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			panic(err)
		}
		var head metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			panic(err)
		}
		found[schema.FromAPIVersionAndKind(head.APIVersion, head.Kind)] = string(text)
	}
	return found
}

// SigningRequest is a PEM request for a certificate in base64.
func signingRequest() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "somebody"}}, key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}))
}
