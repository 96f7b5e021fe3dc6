"""The standard fields of the people: Lead, Contact, CampaignMember. Tables only.

Lead and Contact follow recorded describes (facts/salesforce.md 9.1, 10) plus the opt-out fields, which a
real org shows once field-level security allows. CampaignMember is written from the public object reference.
"""

from __future__ import annotations

from typing import Final

LEAD: Final = """
Id                       id - di
IsDeleted                boolean - d
MasterRecordId           reference Lead n @MasterRecord
LastName                 string 80 cu ^Name
FirstName                string 40 cun ^Name
Salutation               picklist 40 cun ^Name =Salutation
Name                     string 121 N
Title                    string 128 cun
Company                  string 255 cu
Street                   textarea 255 cun ^Address
City                     string 40 cun ^Address
State                    string 80 cun ^Address
PostalCode               string 20 cun ^Address
Country                  string 80 cun ^Address
Latitude                 double 18.15 cun ^Address
Longitude                double 18.15 cun ^Address
GeocodeAccuracy          picklist 40 cunr ^Address =GeocodeAccuracy
Address                  address - n
Phone                    phone 40 cun
MobilePhone              phone 40 cun
Fax                      phone 40 cun
Email                    email 80 cuni
Website                  url 255 cun
PhotoUrl                 url 255 n
Description              textarea 32000 cun
LeadSource               picklist 255 cun =LeadSource
Status                   picklist 255 cud =LeadStatus
Industry                 picklist 255 cun =Industry
Rating                   picklist 255 cun =Rating
AnnualRevenue            currency 18.0 cun
NumberOfEmployees        int - cun
OwnerId                  reference Group,User cud @Owner
IsConverted              boolean - cd
ConvertedDate            date - n
ConvertedAccountId       reference Account n @ConvertedAccount
ConvertedContactId       reference Contact n @ConvertedContact
ConvertedOpportunityId   reference Opportunity n @ConvertedOpportunity
IsUnreadByOwner          boolean - cud
LastActivityDate         date - n
LastViewedDate           datetime - n
LastReferencedDate       datetime - n
Jigsaw                   string 20 cun
JigsawContactId          string 20 n @JigsawContact
CleanStatus              picklist 40 cunr =CleanStatus
CompanyDunsNumber        string 9 cun
DandbCompanyId           reference DandBCompany cun @DandbCompany
EmailBouncedReason       string 255 un
EmailBouncedDate         datetime - un
IndividualId             reference Individual cun @Individual
HasOptedOutOfEmail       boolean - cud
HasOptedOutOfFax         boolean - cud
DoNotCall                boolean - cud
"""

CONTACT: Final = """
Id                       id - di
IsDeleted                boolean - d
MasterRecordId           reference Contact n @MasterRecord
AccountId                reference Account cun @Account
LastName                 string 80 cu ^Name
FirstName                string 40 cun ^Name
Salutation               picklist 40 cun ^Name =Salutation
Name                     string 121 N
OtherStreet              textarea 255 cun ^OtherAddress
OtherCity                string 40 cun ^OtherAddress
OtherState               string 80 cun ^OtherAddress
OtherPostalCode          string 20 cun ^OtherAddress
OtherCountry             string 80 cun ^OtherAddress
OtherLatitude            double 18.15 cun ^OtherAddress
OtherLongitude           double 18.15 cun ^OtherAddress
OtherGeocodeAccuracy     picklist 40 cunr ^OtherAddress =GeocodeAccuracy
OtherAddress             address - n
MailingStreet            textarea 255 cun ^MailingAddress
MailingCity              string 40 cun ^MailingAddress
MailingState             string 80 cun ^MailingAddress
MailingPostalCode        string 20 cun ^MailingAddress
MailingCountry           string 80 cun ^MailingAddress
MailingLatitude          double 18.15 cun ^MailingAddress
MailingLongitude         double 18.15 cun ^MailingAddress
MailingGeocodeAccuracy   picklist 40 cunr ^MailingAddress =GeocodeAccuracy
MailingAddress           address - n
Phone                    phone 40 cun
Fax                      phone 40 cun
MobilePhone              phone 40 cun
HomePhone                phone 40 cun
OtherPhone               phone 40 cun
AssistantPhone           phone 40 cun
ReportsToId              reference Contact cun @ReportsTo
Email                    email 80 cuni
Title                    string 128 cun
Department               string 80 cun
AssistantName            string 40 cun
LeadSource               picklist 255 cun =LeadSource
Birthdate                date - cun
Description              textarea 32000 cun
OwnerId                  reference User cud @Owner
LastActivityDate         date - n
LastCURequestDate        datetime - n
LastCUUpdateDate         datetime - n
LastViewedDate           datetime - n
LastReferencedDate       datetime - n
EmailBouncedReason       string 255 cun
EmailBouncedDate         datetime - cun
IsEmailBounced           boolean - d
PhotoUrl                 url 255 n
Jigsaw                   string 20 cun
JigsawContactId          string 20 n @JigsawContact
CleanStatus              picklist 40 cunr =CleanStatus
IndividualId             reference Individual cun @Individual
HasOptedOutOfEmail       boolean - cud
HasOptedOutOfFax         boolean - cud
DoNotCall                boolean - cud
"""

CAMPAIGN_MEMBER: Final = """
Id                       id - di
IsDeleted                boolean - d
CampaignId               reference Campaign c @Campaign
LeadId                   reference Lead cn @Lead
ContactId                reference Contact cn @Contact
Status                   picklist 40 cund =MemberStatus
HasResponded             boolean - d
IsPrimary                boolean - d
FirstRespondedDate       date - n
Salutation               picklist 40 n
Name                     string 121 nN
FirstName                string 40 n
LastName                 string 80 n
Title                    string 128 n
City                     string 40 n
State                    string 80 n
PostalCode               string 20 n
Country                  string 80 n
Email                    email 80 n
Phone                    phone 40 n
MobilePhone              phone 40 n
CompanyOrAccount         string 255 n
LeadSource               picklist 255 n
LeadOrContactId          reference Contact,Lead n @LeadOrContact
LeadOrContactOwnerId     reference Group,User n @LeadOrContactOwner
Type                     picklist 40 n
"""
