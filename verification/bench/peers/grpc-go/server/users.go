package main

import (
	"fmt"

	echo "bench-grpc-go/gen"
)

// The rows for ListUsers, with the same values as peers/users.ts.
type userRow struct {
	id, name, email  string
	roles            []string
	isActive         bool
	createdAtSeconds uint32
	street           string
}

func userRows() []userRow {
	rows := make([]userRow, 20)
	for index := range rows {
		number := fmt.Sprintf("%02d", index)
		roles := []string{"member"}
		if index%4 == 0 {
			roles = append(roles, "admin")
		}
		rows[index] = userRow{
			id:               "0f8fad5b-d9cb-469f-a165-7086772895" + number,
			name:             "Ada Lovelace " + number,
			email:            "ada.lovelace." + number + "@example.com",
			roles:            roles,
			isActive:         index%5 != 0,
			createdAtSeconds: uint32(1_700_000_000 + index*86_400),
			street:           number + " Ockham Park Lane",
		}
	}
	return rows
}

// listUsers builds the messages of a response, like a handler from the rows of a query.
func listUsers(rows []userRow, pageSize int) *echo.ListUsersResponse {
	page := rows[:min(pageSize, len(rows))]
	users := make([]*echo.User, 0, len(page))
	for _, row := range page {
		users = append(users, &echo.User{
			Id:               row.id,
			Name:             row.name,
			Email:            row.email,
			Roles:            row.roles,
			IsActive:         row.isActive,
			CreatedAtSeconds: row.createdAtSeconds,
			Address: &echo.Address{
				Street:      row.street,
				City:        "London",
				PostalCode:  "SW1Y 4JH",
				CountryCode: "GB",
			},
			TimeZone: "Europe/London",
			Locale:   "en-GB",
		})
	}
	return &echo.ListUsersResponse{Users: users, Total: uint32(len(rows))}
}
