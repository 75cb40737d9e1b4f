// Command vanguard-go is vanguard's REST face of a gRPC server.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"

	"connectrpc.com/vanguard"

	"bench-rest-go/gen/api/user/v1"
	"bench-rest-go/serve"
)

func main() {
	upstream := &url.URL{Scheme: "http", Host: serve.Upstream()}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(request *httputil.ProxyRequest) { request.SetURL(upstream) },
		Transport:     &http.Transport{Protocols: &protocols},
		FlushInterval: -1,
	}
	service := vanguard.NewServiceWithSchema(
		userv1.File_api_user_v1_user_proto.Services().ByName("UserService"),
		proxy,
		vanguard.WithTargetProtocols(vanguard.ProtocolGRPC),
		vanguard.WithTargetCodecs(vanguard.CodecProto),
	)
	// Omits fields that are not set, like the other peers, so that all responses have the same size.
	codec := vanguard.WithCodec(func(types vanguard.TypeResolver) vanguard.Codec {
		json := vanguard.NewJSONCodec(types)
		json.MarshalOptions.EmitUnpopulated = false
		return json
	})
	transcoder, err := vanguard.NewTranscoder([]*vanguard.Service{service}, codec)
	if err != nil {
		log.Fatal(err)
	}
	serve.Run(transcoder)
}

