package dev.tercel.bench;

import bench.echo.v1.Echo.EchoRequest;
import bench.echo.v1.Echo.EchoResponse;
import bench.echo.v1.Echo.ListUsersRequest;
import bench.echo.v1.Echo.ListUsersResponse;
import bench.echo.v1.Echo.StreamRequest;
import bench.echo.v1.Echo.SummaryResponse;
import bench.echo.v1.EchoServiceGrpc.EchoServiceImplBase;
import com.google.protobuf.ByteString;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** gRPC Java's echo server. Its argument is the port (0 for any free one). */
public final class Server {
  private static final class EchoService extends EchoServiceImplBase {
    private final List<Users.Row> rows = Users.rows();
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();

    @Override
    public void unary(EchoRequest request, StreamObserver<EchoResponse> responses) {
      responses.onNext(
          EchoResponse.newBuilder().setMessage(request.getMessage()).setPayload(request.getPayload()).build());
      responses.onCompleted();
    }

    @Override
    public void serverStream(StreamRequest request, StreamObserver<EchoResponse> responses) {
      EchoResponse response =
          EchoResponse.newBuilder().setPayload(ByteString.copyFrom(new byte[request.getPayloadSize()])).build();
      ServerCallStreamObserver<EchoResponse> call = (ServerCallStreamObserver<EchoResponse>) responses;
      // Writing without checking isReady would queue the whole stream in memory.
      call.setOnReadyHandler(
          new Runnable() {
            private int left = request.getCount();
            private boolean hasEnded;

            @Override
            public void run() {
              while (left > 0 && call.isReady()) {
                left--;
                call.onNext(response);
              }
              if (left == 0 && !hasEnded) {
                hasEnded = true;
                call.onCompleted();
              }
            }
          });
    }

    @Override
    public StreamObserver<EchoRequest> clientStream(StreamObserver<SummaryResponse> responses) {
      return new StreamObserver<>() {
        private int messages;
        private int payloadBytes;

        @Override
        public void onNext(EchoRequest request) {
          messages++;
          payloadBytes += request.getPayload().size();
        }

        @Override
        public void onError(Throwable reason) {}

        @Override
        public void onCompleted() {
          responses.onNext(
              SummaryResponse.newBuilder().setMessages(messages).setPayloadBytes(payloadBytes).build());
          responses.onCompleted();
        }
      };
    }

    @Override
    public void unaryLater(EchoRequest request, StreamObserver<EchoResponse> responses) {
      timers.schedule(() -> unary(request, responses), 1, TimeUnit.MILLISECONDS);
    }

    @Override
    public void listUsers(ListUsersRequest request, StreamObserver<ListUsersResponse> responses) {
      responses.onNext(Users.list(rows, request.getPageSize()));
      responses.onCompleted();
    }
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 1) {
      System.err.println("usage: Server <port>");
      System.exit(1);
    }
    io.grpc.Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])))
            .addService(new EchoService())
            .build()
            .start();
    System.out.println("{\"port\":" + server.getPort() + "}");
    server.awaitTermination();
  }
}
