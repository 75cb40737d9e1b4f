package dev.tercel.bench;

import bench.echo.v1.Echo.Address;
import bench.echo.v1.Echo.ListUsersResponse;
import bench.echo.v1.Echo.User;
import java.util.List;
import java.util.stream.IntStream;

/** The rows for ListUsers, with the same values as peers/users.ts. */
final class Users {
  record Row(
      String id,
      String name,
      String email,
      List<String> roles,
      boolean isActive,
      int createdAtSeconds,
      String street) {}

  static List<Row> rows() {
    return IntStream.range(0, 20)
        .mapToObj(
            index -> {
              String number = String.format("%02d", index);
              return new Row(
                  "0f8fad5b-d9cb-469f-a165-7086772895" + number,
                  "Ada Lovelace " + number,
                  "ada.lovelace." + number + "@example.com",
                  index % 4 == 0 ? List.of("member", "admin") : List.of("member"),
                  index % 5 != 0,
                  1_700_000_000 + index * 86_400,
                  number + " Ockham Park Lane");
            })
        .toList();
  }

  /** Builds the messages of a response, like a handler from the rows of a query. */
  static ListUsersResponse list(List<Row> rows, int pageSize) {
    ListUsersResponse.Builder response = ListUsersResponse.newBuilder().setTotal(rows.size());
    for (Row row : rows.subList(0, Math.min(pageSize, rows.size()))) {
      response.addUsers(
          User.newBuilder()
              .setId(row.id())
              .setName(row.name())
              .setEmail(row.email())
              .addAllRoles(row.roles())
              .setIsActive(row.isActive())
              .setCreatedAtSeconds(row.createdAtSeconds())
              .setAddress(
                  Address.newBuilder()
                      .setStreet(row.street())
                      .setCity("London")
                      .setPostalCode("SW1Y 4JH")
                      .setCountryCode("GB"))
              .setTimeZone("Europe/London")
              .setLocale("en-GB"));
    }
    return response.build();
  }

  private Users() {}
}
